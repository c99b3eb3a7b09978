// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "engine/graphs.h"

#include <bit>
#include <cmath>
#include <cstring>

#include "engine/file_format.h"

namespace jitney::testing {

using ir::Attributes;
using ir::Dim;
using ir::Op;
using ir::Shape;
using ir::ValueId;
using Integers = std::vector<std::int64_t>;
using Dims = std::vector<Dim>;

Tensor counting(DType dtype, std::vector<std::int64_t> shape, unsigned first) {
  Tensor t(dtype, std::move(shape));
  auto* bytes = static_cast<std::uint8_t*>(t.data());
  for (std::size_t i = 0; i < t.num_bytes(); ++i) {
    bytes[i] = static_cast<std::uint8_t>(dtype == DType::boolean ? (first + i) % 2 : first + i);
  }
  return t;
}

ir::Graph small_graph() {
  ir::Graph g;
  g.name = "small";
  const Dim batch = Dim::symbol("batch");
  g.symbols["batch"] = {1, 64};
  g.metadata = {{"producer", "hand"}, {"opset", "17"}};
  const ValueId x = g.add_value("x", DType::f32, {batch, 4});
  g.inputs = {x};
  Tensor w(DType::f32, {4, 3}), b(DType::f32, {3});
  for (int i = 0; i < 12; ++i) w.as<float>()[i] = 0.25F * static_cast<float>(i) - 1;
  for (int i = 0; i < 3; ++i) b.as<float>()[i] = static_cast<float>(i);
  const ValueId wv = g.add_constant("w", w), bv = g.add_constant("b", b);
  const ValueId product = g.add_node(Op::matmul, "fc/matmul", {x, wv}, DType::f32, {batch, 3});
  const ValueId sum = g.add_node(Op::add, "fc/add", {product, bv}, DType::f32, {batch, 3});
  g.outputs = {g.add_node(Op::relu, "fc/relu", {sum}, DType::f32, {batch, 3})};
  g.value(g.outputs[0]).name = "y";
  g.guards.push_back({ir::Guard::Relation::less_equal, batch, Dim(64), "batches are small"});
  return g;
}

ir::Graph wide_graph(int dtypes) {
  ir::Graph g;
  g.name = "wide \xc3\xa9 \xff";  // UTF-8, and what is not
  const Dim n = Dim::symbol("batch"), s = Dim::symbol("seq.0:len");
  g.symbols["batch"] = {1, INT64_MAX};
  g.symbols["seq.0:len"] = {0, 4096};
  g.metadata = {{"producer", "hand"}, {"", "empty key"}, {"empty text", ""}};
  const ValueId x = g.add_value("x", DType::f32, {n, s, 4});
  const ValueId image = g.add_value("image", DType::f16, {n, 3, 2 * s + 1, 8});
  const ValueId mask = g.add_value("mask", DType::boolean, {n, s, 1});
  const ValueId scalar_in = g.add_value("scalar", DType::f32, {});
  g.inputs = {x, image, mask, scalar_in};
  for (int t = 0; t < dtypes; ++t) {
    const auto dtype = static_cast<DType>(t);
    const std::string name(to_string(dtype));
    g.add_constant(name, counting(dtype, {3, 7}, static_cast<unsigned>(t)));
    g.add_constant(name + ".scalar", counting(dtype, {}, static_cast<unsigned>(t)));
    g.add_constant(name + ".empty", Tensor(dtype, {2, 0, 5}));
  }
  const ValueId scale = g.add_constant("scale", counting(DType::f32, {4}));
  const ValueId bias = g.add_constant("bias", counting(DType::f32, {4}));  // equal bytes, another value
  const ValueId w = g.add_constant("w", counting(DType::f16, {6, 3, 3, 3}));
  const ValueId normed = g.add_node(Op::layer_norm, "ln", {x, scale, bias}, DType::f32, {n, s, 4},
                                    {{"axis", std::int64_t{2}}, {"epsilon", 1e-5}});
  const ValueId bare = g.add_node(Op::layer_norm, "ln2", {x, ir::kNoValue, bias}, DType::f32, {n, s, 4},
                                  {{"axis", std::int64_t{2}}, {"epsilon", 0.1}});
  const ValueId where = g.add_node(Op::where, "where", {mask, normed, bare}, DType::f32, {n, s, 4});
  const ValueId padded = g.add_node(Op::pad, "pad", {where}, DType::f32, {n, s + 3, 4},
                                    {{"before", Dims{0, 1, 0}}, {"value", -0.0}, {"mode", std::string("constant")}});
  const ValueId sliced = g.add_node(Op::slice, "slice", {padded}, DType::f32, {n, Dim::max(s - 1, 0), 4},
                                    {{"starts", Dims{0, Dim::min(s, 1), 0}}, {"steps", Dims{1, 1, 1}}});
  const Shape pixels = {n, 6, Dim::floordiv(2 * s + 1 - 3, 2) + 1, 6};
  const ValueId conv = g.add_node(Op::conv, "conv", {image, w}, DType::f16, pixels,
                                  {{"strides", Integers{2, 1}},
                                   {"dilations", Integers{1, 1}},
                                   {"pads", Integers{0, 0, 0, 0}},
                                   {"groups", std::int64_t{1}}});
  const ValueId shape =
      g.add_node(Op::dims, "shape", {}, DType::i64, {3}, {{"values", Dims{n, Dim::mod(s, 7), -2 * n * s}}});
  const ValueId no_dims = g.add_node(Op::dims, "no_dims", {}, DType::i64, {0}, {{"values", Dims{}}});
  const ValueId total = g.add_node(Op::reduce_sum, "total", {scalar_in}, DType::f32, {},
                                   {{"axes", Integers{}}, {"keepdims", std::int64_t{0}}});
  g.outputs = {sliced, conv, shape, no_dims, total, x};
  g.guards.push_back({ir::Guard::Relation::equal, n * s, Dim::floordiv(s, 2), "equal"});
  g.guards.push_back({ir::Guard::Relation::less_equal, Dim(1), s, ""});
  g.guards.push_back({ir::Guard::Relation::divides, Dim(2), s, "divides"});
  // What keeps conv and slice inside their inputs; loading adds it where it is missing.
  g.guards.push_back({ir::Guard::Relation::less_equal, Dim(3), 2 * s + 1, "the window fits"});
  g.guards.push_back({ir::Guard::Relation::less_equal, Dim::min(s, 1) + Dim::max(s - 1, 0), s + 3, "the slice fits"});
  return g;
}

ir::Graph nested_graph(int depth) {
  ir::Graph g;
  g.name = "level " + std::to_string(depth);
  const Dim n = Dim::symbol("n");
  g.inputs = {g.add_value("x", DType::f32, {n})};
  const ValueId c = g.add_constant("c", counting(DType::f32, {1}, static_cast<unsigned>(depth)));
  const ValueId sum = g.add_node(Op::add, "add", {g.inputs[0], c}, DType::f32, {n});
  if (depth == 1) {
    g.outputs = {sum};
  } else {
    Attributes attributes;
    attributes["body"] = std::make_shared<const ir::Graph>(nested_graph(depth - 1));
    attributes["kind"] = std::int64_t{-3};
    attributes["shape"] = Dims{n, 1};
    attributes["axes"] = Integers{INT64_MIN, INT64_MAX};
    attributes["not a number"] = std::bit_cast<double>(0x7ff8'0000'dead'beefULL);
    attributes["smallest"] = 5e-324;
    attributes["endless"] = -std::numeric_limits<double>::infinity();
    g.outputs = {g.add_node(Op::region, "region", {sum}, DType::f32, {n}, std::move(attributes))};
  }
  return g;
}

namespace {

std::shared_ptr<const ir::Graph> twice(const Dim& extent) {
  ir::Graph g;
  g.name = "twice";
  g.symbols[extent.to_string()] = {};
  g.inputs = {g.add_value("x", DType::f32, {extent})};
  g.outputs = {g.add_node(Op::add, "add", {0, 0}, DType::f32, {extent})};
  return std::make_shared<const ir::Graph>(std::move(g));
}

/// Takes and gives a vector of `extent`, through a stage.
ir::Graph around(const Dim& extent) {
  ir::Graph g;
  g.name = "around";
  g.inputs = {g.add_value("v", DType::f32, {extent})};
  g.outputs = {g.add_node(Op::stage, "stage", {0}, DType::f32, {extent}, {{"body", twice(extent)}})};
  return g;
}

}  // namespace

ir::Graph staged_graph() {
  const auto symbol = [](const char* name) { return Dim::symbol(name); };
  ir::Graph g;
  g.name = "staged";
  for (const char* name : {"n", "k", "m", "u", "b", "r", "l", "t"}) g.symbols[name] = {};
  const ValueId x = g.add_value("x", DType::f32, {symbol("n")}), c = g.add_value("c", DType::boolean, {}),
                mask = g.add_value("mask", DType::boolean, {symbol("n")}), to = g.add_value("to", DType::i64, {1}),
                boxes = g.add_value("boxes", DType::f32, {1, 5, 4}),
                scores = g.add_value("scores", DType::f32, {1, 1, 5});
  g.inputs = {x, c, mask, to, boxes, scores};
  const auto one = [&](Op op, const char* name, std::vector<ValueId> inputs, DType dtype, ir::Shape shape,
                       Attributes attributes, Dims symbols) {
    attributes["symbols"] = std::move(symbols);
    return g.add_node(op, name, std::move(inputs), dtype, std::move(shape), std::move(attributes));
  };
  const ValueId doubled =
      g.add_node(Op::stage, "first", {x}, DType::f32, {symbol("n")}, {{"body", twice(symbol("n"))}});
  one(Op::nonzero, "nonzero", {doubled}, DType::i64, {1, symbol("k")}, {}, {symbol("k")});
  const ValueId kept =
      one(Op::compress, "compress", {x, mask}, DType::f32, {symbol("m")}, {{"axis", std::int64_t{0}}}, {symbol("m")});
  one(Op::non_max_suppression, "boxes", {boxes, scores}, DType::i64, {symbol("b"), 3}, {{"center", std::int64_t{1}}},
      {symbol("b")});
  one(Op::read_dims, "dims", {to}, DType::i64, {1}, {{"rule", std::string("reshape")}, {"given", Dims{0, symbol("n")}}},
      {symbol("r")});
  const auto body = std::make_shared<const ir::Graph>(around(symbol("m")));
  const ValueId chosen =
      one(Op::branch, "branch", {c, kept}, DType::f32, {symbol("m")}, {{"then", body}, {"else", body}}, {});
  ir::Graph iteration = around(symbol("carried"));
  iteration.symbols["carried"] = {};
  const ValueId i = iteration.add_value("i", DType::i64, {}), go = iteration.add_value("go", DType::boolean, {});
  iteration.inputs = {i, go, iteration.inputs[0]};
  iteration.outputs = {go, iteration.outputs[0], i};
  const ValueId trips = g.add_constant("trips", counting(DType::i64, {})),
                v = g.add_value("last", DType::f32, {symbol("l")}), all = g.add_value("all", DType::i64, {symbol("t")});
  g.nodes.push_back({Op::loop,
                     "loop",
                     {trips, c, chosen},
                     {v, all},
                     {{"body", std::make_shared<const ir::Graph>(std::move(iteration))},
                      {"carried", std::int64_t{1}},
                      {"symbols", Dims{symbol("l"), symbol("t")}}}});
  const ValueId y = g.add_value("y", DType::f32, {symbol("u")}),
                first = g.add_value("first of", DType::i64, {symbol("u")}),
                which = g.add_value("which", DType::i64, {symbol("l")}),
                count = g.add_value("count", DType::i64, {symbol("u")});
  g.nodes.push_back({Op::unique,
                     "unique",
                     {v},
                     {y, first, which, count},
                     {{"axis", std::int64_t{0}}, {"sorted", std::int64_t{0}}, {"symbols", Dims{symbol("u")}}}});
  g.outputs = {y, count, all};
  g.guards.push_back({ir::Guard::Relation::less_equal, symbol("k"), symbol("n"), "no more than there are"});
  return g;
}

void expect_same(const ir::Graph& a, const ir::Graph& b) {
  EXPECT_EQ(ir::print(a), ir::print(b));
  EXPECT_EQ(a.inputs, b.inputs);
  EXPECT_EQ(a.outputs, b.outputs);
  ASSERT_EQ(a.values.size(), b.values.size());
  for (std::size_t i = 0; i < a.values.size(); ++i) {
    SCOPED_TRACE(a.values[i].name);
    EXPECT_EQ(a.values[i].name, b.values[i].name);
    EXPECT_EQ(a.values[i].dtype, b.values[i].dtype);
    EXPECT_EQ(a.values[i].shape, b.values[i].shape);
    const Tensor *s = a.values[i].constant.get(), *t = b.values[i].constant.get();
    ASSERT_EQ(s == nullptr, t == nullptr);
    if (s == nullptr) continue;
    EXPECT_EQ(s->dtype(), t->dtype());
    ASSERT_EQ(s->shape(), t->shape());
    if (s->num_bytes() == 0) continue;
    EXPECT_EQ(std::memcmp(s->data(), t->data(), s->num_bytes()), 0);
  }
  ASSERT_EQ(a.nodes.size(), b.nodes.size());
  for (std::size_t i = 0; i < a.nodes.size(); ++i) {
    const ir::Node &s = a.nodes[i], &t = b.nodes[i];
    SCOPED_TRACE(s.name);
    EXPECT_EQ(s.op, t.op);
    EXPECT_EQ(s.name, t.name);
    EXPECT_EQ(s.inputs, t.inputs);
    EXPECT_EQ(s.outputs, t.outputs);
    ASSERT_EQ(s.attributes.size(), t.attributes.size());
    for (const auto& [name, attribute] : s.attributes) {
      ASSERT_TRUE(t.has(name)) << name;
      const ir::Attribute& other = t.attributes.find(name)->second;
      ASSERT_EQ(attribute.index(), other.index()) << name;
      if (const auto* real = std::get_if<double>(&attribute)) {
        EXPECT_EQ(std::bit_cast<std::uint64_t>(*real), std::bit_cast<std::uint64_t>(std::get<double>(other))) << name;
      } else if (const auto* body = std::get_if<std::shared_ptr<const ir::Graph>>(&attribute)) {
        expect_same(**body, t.graph(name));
      } else {
        EXPECT_TRUE(attribute == other) << name;
      }
    }
  }
}

void reseal(Bytes& file) { engine::seal(file); }

Bytes serialized(const ir::Graph& graph) { return value_or_throw(engine::serialize(graph)); }

Expected<ir::Graph> load(Bytes file) {
  auto owner = std::make_shared<const Bytes>(std::move(file));
  return engine::deserialize(*owner, owner);
}

std::string refusal(const Bytes& file) {
  const auto graph = load(file);
  if (graph) return "(loaded)";
  EXPECT_EQ(graph.error().kind, ErrorKind::user) << graph.error().message;
  return graph.error().message;
}

ir::Graph three_inputs() {
  ir::Graph g;
  g.name = "three";
  g.symbols["batch"] = {};
  g.symbols["length"] = {.min = 1, .max = 512};
  const ir::Dim batch = ir::Dim::symbol("batch"), length = ir::Dim::symbol("length");
  for (const auto& [name, shape] : {std::pair<std::string, ir::Shape>{"ids", {batch, length}},
                                    {"mask", {batch, length}},
                                    {"twice", {length * 2, ir::Dim(3)}}})
    g.inputs.push_back(g.add_value(name, DType::f32, shape));
  g.outputs.push_back(g.add_node(ir::Op::add, "sum", {g.inputs[0], g.inputs[1]}, DType::f32, {batch, length}));
  return g;
}

}  // namespace jitney::testing
