// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include <set>
#include <stdexcept>

#include "ir/support.h"
#include "ir/verify_internal.h"

namespace jitney::ir::test {
namespace {

const Dim n = Dim::symbol("n");

/// y = relu(x + w), x: float32[n, 2]
Graph small() {
  Graph g;
  g.name = "small";
  g.symbols["n"] = {1, 8};
  const ValueId x = g.add_value("x", DType::f32, {n, 2});
  g.inputs = {x};
  const ValueId w = g.add_constant("w", f32({2}, {1, -1}));
  const ValueId sum = g.add_node(Op::add, "layer/add", {x, w}, DType::f32, {n, 2});
  g.outputs = {g.add_node(Op::relu, "layer/relu", {sum}, DType::f32, {n, 2})};
  return g;
}

TEST(Ops, TableIsConsistent) {
  std::set<std::string_view> names;
  for (int i = 0; i < op_count(); ++i) {
    const OpInfo& row = info(static_cast<Op>(i));
    EXPECT_EQ(static_cast<int>(row.op), i);
    EXPECT_TRUE(names.insert(row.name).second) << row.name;
    EXPECT_EQ(op_from_string(row.name), row.op);
    EXPECT_TRUE(row.max_inputs == -1 || row.max_inputs >= row.min_inputs) << row.name;
  }
  EXPECT_FALSE(op_from_string("no_such_operator"));
  EXPECT_TRUE(is_elementwise(Op::where) && is_elementwise(Op::cast) && is_elementwise(Op::add) &&
              !is_elementwise(Op::gather));
  EXPECT_TRUE(gives_boolean(Op::is_nan) && gives_boolean(Op::less) && !gives_boolean(Op::bitwise_and));
}

TEST(Ops, EveryAttributeHasAType) {
  for (int i = 0; i < op_count(); ++i) {
    // Fill in what is complained about, one attribute after the other.
    Node node{static_cast<Op>(i), "n", {}, {}, {}};
    for (std::size_t tries = 0; tries <= 8; ++tries) {
      const Status s = verify_attributes(node);
      if (s) break;
      const std::string& text = s.error().message;
      ASSERT_EQ(text.find("no type"), std::string::npos) << info(node.op).name << ": " << text;
      ASSERT_NE(text.find("is missing"), std::string::npos) << text;
      const std::string key = text.substr(text.find('\'') + 1, text.rfind('\'') - text.find('\'') - 1);
      const Attribute candidates[] = {std::int64_t{0}, 0.0,     std::string(),
                                      Ints{},          Shape{}, std::shared_ptr<const Graph>()};
      for (const Attribute& candidate : candidates) {
        node.attributes[key] = candidate;
        const Status again = verify_attributes(node);
        if (again || again.error().message.find("must be") == std::string::npos) break;
      }
    }
    EXPECT_TRUE(verify_attributes(node)) << info(node.op).name << ": " << verify_attributes(node).error().message;
  }
}

TEST(Graph, ProducersAndUses) {
  const Graph g = small();
  EXPECT_EQ(g.producers(), (std::vector<int>{-1, -1, 0, 1}));
  EXPECT_EQ(g.use_counts(), (std::vector<int>{1, 1, 1, 1}));
  EXPECT_TRUE(g.is_constant(1));
  EXPECT_FALSE(g.is_constant(0));
  EXPECT_FALSE(g.is_constant(kNoValue));
}

TEST(Graph, MissingAttributeIsABug) {
  const Graph g = small();
  try {
    g.nodes[0].integer("axis");
    FAIL() << "nothing was thrown";
  } catch (const std::logic_error& e) {
    EXPECT_STREQ(e.what(), "add node 'layer/add' has no attribute 'axis'");
  }
  Node node{Op::concat, "c", {}, {}, {{"axis", 1.5}}};
  EXPECT_THROW(node.integer("axis"), std::logic_error);
  EXPECT_EQ(node.real("axis"), 1.5);
}

TEST(Print, OneLineAValue) {
  Graph g = small();
  g.guards.push_back({Guard::Relation::divides, 2, n, "halves"});
  g.outputs.push_back(g.add_node(Op::concat, "cat", {0, kNoValue}, DType::f32, {n, 2}, {{"axis", std::int64_t{1}}}));
  EXPECT_EQ(print(g), R"(graph 'small'
  symbol n in [1, 8]
  input %x: float32[n, 2]
  constant %w: float32[2]
  %layer/add.2: float32[n, 2] = add(%x, %w)  # layer/add
  %layer/relu.3: float32[n, 2] = relu(%layer/add.2)  # layer/relu
  %cat.4: float32[n, 2] = concat(%x, none) {axis=1}  # cat
  guard 2 divides n  # halves
  return %layer/relu.3, %cat.4
)");
  g.nodes[0].inputs[0] = 99;
  EXPECT_NE(print(g).find("add(%<missing 99>, %w)"), std::string::npos) << "broken graphs are shown too";
}

void expect_invalid(const Graph& g, const std::string& part, Stage stage = Stage::imported) {
  const Status s = verify(g, stage);
  ASSERT_FALSE(s) << "expected: " << part;
  EXPECT_EQ(s.error().kind, ErrorKind::internal);
  EXPECT_NE(s.error().message.find(part), std::string::npos) << s.error().message;
}

TEST(Verify, AcceptsAGoodGraph) { EXPECT_TRUE(verify(small(), Stage::imported)); }

TEST(Verify, FindsBrokenForm) {
  Graph g = small();
  std::swap(g.nodes[0], g.nodes[1]);
  expect_invalid(g, "'layer/add.2', is used before it is defined");
  g = small();
  g.nodes[1].outputs = {2};
  expect_invalid(g, "node 1 'layer/relu' (relu): it defines 'layer/add.2' a second time");
  g = small();
  g.nodes[0].inputs = {0};
  expect_invalid(g, "it has 1 inputs");
  g = small();
  g.nodes[0].inputs = {0, 50};
  expect_invalid(g, "does not exist");
  g = small();
  g.nodes[0].inputs = {0, kNoValue};
  expect_invalid(g, "does not exist");
  g = small();
  g.outputs = {7};
  expect_invalid(g, "output 7 is not defined");
  g = small();
  g.values[3].name = "x";
  expect_invalid(g, "two values are named 'x'");
  g = small();
  g.values[1].shape = {3};
  expect_invalid(g, "constant 'w' is float32[3] and holds float32[2]");
  g = small();
  g.inputs.push_back(0);
  expect_invalid(g, "a second time");
  g = small();
  g.nodes[0].op = static_cast<Op>(999);
  expect_invalid(g, "there is no operator 999");
}

TEST(Verify, FindsWrongTypesAndAttributes) {
  Graph g = small();
  g.values[2].dtype = DType::f64;
  expect_invalid(g, "'layer/add.2' is float64[n, 2]; float32[n, 2] was expected");
  g = small();
  g.values[2].shape = {n, 3};
  expect_invalid(g, "float32[n, 2] was expected");
  g = small();
  g.values[2].shape = {n + Dim(1), 2};
  expect_invalid(g, "float32[n, 2] was expected");
  g = small();
  g.values[2].shape = {Dim::symbol("m"), 2};  // may be equal
  EXPECT_TRUE(verify(g, Stage::imported));
  g = small();
  g.nodes[0].attributes["axis"] = std::int64_t{1};
  expect_invalid(g, "attribute 'axis' is not one of its own");
  g = small();
  g.add_node(Op::softmax, "s", {0}, DType::f32, {n, 2});
  expect_invalid(g, "attribute 'axis' is missing");
  g.nodes.back().attributes["axis"] = 1.0;
  expect_invalid(g, "attribute 'axis' must be an integer, and is a real number");
  g.nodes.back().attributes["axis"] = std::int64_t{2};
  expect_invalid(g, "axis 2 of softmax 's' is not in [0, 2)");
}

Graph with_region(const Graph& body, ValueId input_of_outer = 0) {
  Graph g;
  g.inputs = {g.add_value("x", DType::f32, {n, 2})};
  g.outputs = {g.add_node(Op::region, "r", {input_of_outer}, DType::f32, {n, 2},
                          {{"body", std::make_shared<const Graph>(body)},
                           {"kind", std::int64_t{0}},
                           {"shape", Shape{n, 2}},
                           {"axes", Ints{}}})};
  return g;
}

TEST(Verify, StagesAllowFewerForms) {
  expect_invalid(small(), "it is not allowed in a graph that is fused", Stage::fused);
  const Graph regions = with_region(small());
  EXPECT_TRUE(verify(regions, Stage::fused)) << verify(regions, Stage::fused).error().message;
  expect_invalid(regions, "it is not allowed", Stage::optimized);
  Graph bn;
  const ValueId c = bn.add_constant("c", f32({2}, {1, 1}));
  bn.inputs = {bn.add_value("x", DType::f32, {n, 2})};
  bn.outputs = {bn.add_node(Op::batch_norm, "bn", {1, c, c, c, c}, DType::f32, {n, 2}, {{"epsilon", 1e-5}})};
  EXPECT_TRUE(verify(bn, Stage::imported)) << verify(bn, Stage::imported).error().message;
  expect_invalid(bn, "node 0 'bn' (batch_norm): it is not allowed in a graph that is optimized", Stage::optimized);
}

TEST(Verify, RegionsMatchTheirBodies) {
  Graph body = small();
  body.values[0].dtype = DType::f64;
  expect_invalid(with_region(body), "inputs of add", Stage::fused);
  body = small();
  body.outputs.push_back(2);
  expect_invalid(with_region(body), "it has 1 outputs, its body 2", Stage::fused);
  expect_invalid(with_region(with_region(small())), "it is not allowed in a graph that is optimized", Stage::fused);
  Graph g = with_region(small());
  g.nodes[0].attributes["body"] = std::shared_ptr<const Graph>();
  expect_invalid(g, "its body is null", Stage::fused);
}

TEST(Interpret, RunsGraphsAndRegions) {
  for (const Graph& g : {small(), with_region(small())}) {
    const auto out = interpret(g, {f32({2, 2}, {1, 2, -3, 0.5})});
    ASSERT_TRUE(out) << out.error().message;
    expect_values((*out)[0], {2, 1, 0, 0});
  }
}

TEST(Interpret, OutputsAreNobodyElsesMemory) {
  Graph g;
  g.inputs = {g.add_value("x", DType::f32, {2})};
  g.outputs = {0, g.add_constant("c", f32({1}, {3}))};
  const Tensor x = f32({2}, {1, 2});
  auto out = interpret(g, {x});
  ASSERT_TRUE(out);
  (*out)[0].as<float>()[0] = 9;
  (*out)[1].as<float>()[0] = 9;
  expect_values(x, {1, 2});
  expect_values(*g.value(1).constant, {3});
}

TEST(Interpret, SaysWhatIsWrongWithInputs) {
  const Graph g = small();
  EXPECT_EQ(interpret(g, {tensor(DType::f64, {1, 2}, {1, 2})}).error().message,
            "input 'x' is float64; float32 is expected");
  EXPECT_FALSE(interpret(g, {}));
}

TEST(Interpret, MemoryThatCannotBeHadIsAnError) {
  Graph g;
  g.inputs = {g.add_value("x", DType::f32, {1})};
  g.outputs = {g.add_node(Op::expand, "huge", {0}, DType::f32, {std::int64_t{1} << 50})};
  const auto out = interpret(g, {f32({1}, {1})});
  ASSERT_FALSE(out);
  EXPECT_EQ(out.error().kind, ErrorKind::environment) << out.error().message;
  g.values[1].shape = {std::int64_t{1} << 62};
  EXPECT_FALSE(interpret(g, {f32({1}, {1})}));
}

TEST(Interpret, OneNodeChecksWhatItIsGiven) {
  const Graph g = small();
  const Tensor x = f32({3, 2}, {1, 2, 3, 4, 5, 6}), w = f32({2}, {1, 1}), wrong = f32({3}, {1, 1, 1});
  EXPECT_TRUE(interpret_node(g, g.nodes[0], {&x, &w}, {{"n", 3}}));
  EXPECT_FALSE(interpret_node(g, g.nodes[0], {&x, &w}, {{"n", 4}}));
  EXPECT_FALSE(interpret_node(g, g.nodes[0], {&x, &wrong}, {{"n", 3}}));
  EXPECT_FALSE(interpret_node(g, g.nodes[0], {&x, nullptr}, {{"n", 3}}));
  EXPECT_FALSE(interpret_node(g, g.nodes[0], {&x}, {{"n", 3}}));
  EXPECT_FALSE(interpret_node(g, g.nodes[0], {&x, &w}, {}));
}

}  // namespace
}  // namespace jitney::ir::test
