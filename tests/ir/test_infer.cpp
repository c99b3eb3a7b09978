// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "ir/support.h"

namespace jitney::ir::test {
namespace {

const Dim n = Dim::symbol("n"), m = Dim::symbol("m"), h = Dim::symbol("h");

struct Result {
  Expected<Inferred> type;
  std::vector<Guard> guards;
};
Result infer_shapes(Op op, const std::vector<Shape>& shapes, const Attributes& attributes = {}) {
  std::vector<Value> values;
  for (const Shape& s : shapes) values.push_back({"v", DType::f32, s, nullptr});
  std::vector<const Value*> inputs;
  for (const Value& v : values) inputs.push_back(&v);
  Result r{Inferred{}, {}};
  r.type = infer(op, "layer1/add", inputs, attributes, r.guards);
  return r;
}

TEST(Broadcast, DecidesWhatItCan) {
  std::vector<Guard> guards;
  EXPECT_EQ(broadcast({n, 1, 3}, {4, 1}, "x", guards).value(), (Shape{n, 4, 3}));
  EXPECT_EQ(broadcast({n}, {n}, "x", guards).value(), (Shape{n}));
  EXPECT_EQ(broadcast({}, {n}, "x", guards).value(), (Shape{n}));
  EXPECT_EQ(broadcast({0}, {1}, "x", guards).value(), (Shape{0}));
  EXPECT_TRUE(guards.empty());
}

TEST(Broadcast, GuardsWhatItCannot) {
  std::vector<Guard> guards;
  EXPECT_EQ(broadcast({n, h}, {m, 4}, "layer1/add", guards).value(), (Shape{n, 4}));
  ASSERT_EQ(guards.size(), 2u);
  EXPECT_EQ(guards[0].relation, Guard::Relation::equal);
  EXPECT_EQ(guards[0].a, n);
  EXPECT_EQ(guards[0].b, m);
  EXPECT_EQ(guards[0].reason, "inputs of 'layer1/add' must have one extent along axis 0");
}

TEST(Broadcast, RefusesWhatDiffers) {
  std::vector<Guard> guards;
  const auto bad = broadcast({n, 2}, {n, 3}, "a", guards);
  ASSERT_FALSE(bad);
  EXPECT_EQ(bad.error().message,
            "inputs of 'a' have shapes [n, 2] and [n, 3], which do not broadcast: axis 1 has extents 2 and 3");
  EXPECT_FALSE(broadcast({n}, {n + Dim(1)}, "a", guards));
}

TEST(Infer, Matmul) {
  EXPECT_EQ(infer_shapes(Op::matmul, {{n, m, 4}, {4, 5}}).type->shape, (Shape{n, m, 5}));
  const Result guarded = infer_shapes(Op::matmul, {{n, m}, {h, 5}});
  EXPECT_EQ(guarded.type->shape, (Shape{n, 5}));
  EXPECT_EQ(guarded.guards.size(), 1u);
  const Result bad = infer_shapes(Op::matmul, {{n, 3}, {4, 5}});
  ASSERT_FALSE(bad.type);
  EXPECT_EQ(bad.type.error().kind, ErrorKind::user);
  EXPECT_EQ(
      bad.type.error().message,
      "matmul 'layer1/add' must have one extent along the summed axis, and has 3 and 4 (inputs: [n, 3] and [4, 5])");
}

TEST(Infer, ConvExtents) {
  const Attributes a{
      {"strides", Ints{2, 1}}, {"dilations", Ints{1, 2}}, {"pads", Ints{1, 0, 1, 0}}, {"groups", std::int64_t{1}}};
  const Result r = infer_shapes(Op::conv, {{n, 3, h, 8}, {16, 3, 3, 3}}, a);
  ASSERT_TRUE(r.type) << r.type.error().message;
  EXPECT_EQ(r.type->shape, (Shape{n, 16, Dim::floordiv(h - Dim(1), 2) + Dim(1), 4}));
  ASSERT_EQ(r.guards.size(), 1u) << "the kernel must fit";
  EXPECT_EQ(r.guards[0].relation, Guard::Relation::less_equal);
}

TEST(Infer, ConcatReduceGather) {
  EXPECT_EQ(infer_shapes(Op::concat, {{n, 2}, {m, 2}}, {{"axis", std::int64_t{0}}}).type->shape, (Shape{n + m, 2}));
  EXPECT_EQ(
      infer_shapes(Op::reduce_sum, {{n, 2, m}}, {{"axes", Ints{0, 2}}, {"keepdims", std::int64_t{1}}}).type->shape,
      (Shape{1, 2, 1}));
  EXPECT_EQ(infer_shapes(Op::permute, {{n, 2, m}}, {{"perm", Ints{2, 0, 1}}}).type->shape, (Shape{m, n, 2}));
  EXPECT_FALSE(infer_shapes(Op::gather, {{n}, {m}}, {{"axis", std::int64_t{0}}}).type) << "float indices";
}

TEST(Infer, ShapesThatOnlyTheBuilderKnows) {
  const Result r = infer_shapes(Op::reshape, {{n}});
  ASSERT_FALSE(r.type);
  EXPECT_EQ(r.type.error().kind, ErrorKind::internal);
}

TEST(Infer, CountsInputs) {
  EXPECT_FALSE(infer_shapes(Op::add, {{n}}).type);
  EXPECT_FALSE(infer_shapes(Op::relu, {{n}, {n}}).type);
}

Graph two_inputs() {
  Graph g;
  g.name = "net";
  g.symbols["n"] = {1, 64};
  g.inputs = {g.add_value("x", DType::f32, {n, 3}), g.add_value("y", DType::f32, {Dim(2) * n, m})};
  return g;
}

std::string bind_error(const Graph& g, const std::vector<Ints>& shapes) {
  const auto bound = bind_symbols(g, shapes);
  if (bound) return "bound";
  EXPECT_EQ(bound.error().kind, ErrorKind::user);
  return bound.error().message;
}

TEST(Bind, GivesSymbolsTheirValues) {
  const auto bound = bind_symbols(two_inputs(), {{4, 3}, {8, 0}});
  ASSERT_TRUE(bound) << bound.error().message;
  EXPECT_EQ(*bound, (SymbolValues{{"n", 4}, {"m", 0}}));
}

TEST(Bind, NamesInputAxisExpectedAndFound) {
  Graph g = two_inputs();
  EXPECT_EQ(bind_error(g, {{4, 3}}), "model 'net' has 2 inputs, and 1 were given");
  EXPECT_EQ(bind_error(g, {{4, 3, 1}, {8, 5}}),
            "input 'x' has shape [4, 3, 1], which has rank 3; rank 2 is expected: [n, 3]");
  EXPECT_EQ(bind_error(g, {{4, 2}, {8, 5}}), "input 'x' has shape [4, 2]; the extent along axis 1 must be 3");
  EXPECT_EQ(bind_error(g, {{4, 3}, {9, 5}}), "input 'y' has shape [9, 5]; the extent along axis 0 must be 2*n = 8");
  EXPECT_EQ(bind_error(g, {{65, 3}, {130, 5}}),
            "input 'x' has shape [65, 3]; the extent along axis 0 ('n') may be 1 to 64");
  EXPECT_EQ(bind_error(g, {{4, 3}, {8, -1}}), "input 'y' has shape [8, -1]; the extent along axis 1 must be 0 or more");
  g.values[1].shape = {m, n};
  EXPECT_EQ(bind_error(g, {{4, 3}, {9, 5}}),
            "input 'y' has shape [9, 5]; the extent along axis 1 must be 'n' = 4 (from input 'x', axis 0)");
  g.values[1].shape = {Dim::symbol("k") * Dim(2), 1};
  EXPECT_NE(bind_error(g, {{4, 3}, {8, 1}}).find("cannot be checked: symbol 'k' has no value"), std::string::npos);
}

TEST(Bind, ChecksGuards) {
  Graph g = two_inputs();
  g.guards.push_back({Guard::Relation::equal, n, m, "inputs of 'add' must have one extent along axis 0"});
  EXPECT_TRUE(bind_symbols(g, {{4, 3}, {8, 4}}));
  EXPECT_EQ(
      bind_error(g, {{4, 3}, {8, 5}}),
      "inputs of 'add' must have one extent along axis 0: n = 4 must equal m = 5 (inputs: 'x' [4, 3], 'y' [8, 5])");
  g.guards = {{Guard::Relation::less_equal, 3, m, "the kernel must fit"}};
  EXPECT_TRUE(bind_symbols(g, {{4, 3}, {8, 3}}));
  EXPECT_NE(bind_error(g, {{4, 3}, {8, 2}}).find("3 must be at most m = 2"), std::string::npos);
  g.guards = {{Guard::Relation::divides, m, n, "heads"}};
  EXPECT_TRUE(bind_symbols(g, {{4, 3}, {8, 2}}));
  EXPECT_NE(bind_error(g, {{4, 3}, {8, 3}}).find("m = 3 must divide n = 4"), std::string::npos);
  EXPECT_NE(bind_error(g, {{4, 3}, {8, 0}}), "bound") << "0 divides nothing";
  g.guards = {{Guard::Relation::equal, Dim::floordiv(n, m), 1, "a quotient"}};
  EXPECT_NE(bind_error(g, {{4, 3}, {8, 0}}).find("divides by zero"), std::string::npos);
  g.guards = {{Guard::Relation::equal, Dim::symbol("found_at_run_time"), 1, "data"}};
  EXPECT_TRUE(bind_symbols(g, {{4, 3}, {8, 0}})) << "data-dependent symbols are not known yet";
}

}  // namespace
}  // namespace jitney::ir::test
