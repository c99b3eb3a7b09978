// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
// If, Loop and Scan that are decided when the model runs, through the reference interpreter.
#include <gtest/gtest.h>

#include "ir/hosted.h"
#include "onnx/import_check.h"
#include "onnx/model_builder.h"

namespace jitney::onnx::testing {
namespace {

constexpr int kInt64 = proto::TensorProto::INT64;
constexpr int kBool = proto::TensorProto::BOOL;

Tensor floats(std::vector<std::int64_t> shape, const std::vector<float>& values) {
  Tensor t(DType::f32, std::move(shape));
  std::copy(values.begin(), values.end(), t.as<float>());
  return t;
}
Tensor flag(bool value) {
  Tensor t(DType::boolean, {});
  *t.as<std::uint8_t>() = value;
  return t;
}
Tensor number(std::int64_t value) {
  Tensor t(DType::i64, {});
  *t.as<std::int64_t>() = value;
  return t;
}
std::vector<float> values(const Tensor& t) { return {t.as<float>(), t.as<float>() + t.num_elements()}; }

void input(proto::GraphProto& graph, const std::string& name, int type) {
  auto& value = *graph.add_input();
  value.set_name(name);
  value.mutable_type()->mutable_tensor_type()->set_elem_type(type);
}

/// y = c ? x + x : x[:, :1] of [n, 3], so that the second extent follows from data.
ModelBuilder branch() {
  ModelBuilder m;
  m.input("x", {"n", 3}).input("c", {}, kBool).output("y");
  m.raw<std::int64_t>("zero", kInt64, {1}, {0});
  m.raw<std::int64_t>("one", kInt64, {1}, {1});
  auto node = m.node("If", {"c"}, {"y"});
  auto& yes = node.name("choice").graph("then_branch");
  add_node(*yes.mutable_node(), "Add", {"x", "x"}, {"a"});
  yes.add_output()->set_name("a");
  auto& no = node.graph("else_branch");
  add_node(*no.mutable_node(), "Slice", {"x", "zero", "one", "one"}, {"b"});
  no.add_output()->set_name("b");
  return m;
}

TEST(Branch, ExtentsThatDifferBecomeSymbols) {
  auto m = branch();
  const ir::Graph graph = imported(m);
  ASSERT_EQ(graph.nodes.size(), 1U);
  EXPECT_EQ(graph.nodes[0].op, ir::Op::branch);
  const auto& shape = graph.value(graph.outputs[0]).shape;
  EXPECT_EQ(shape[0], ir::Dim::symbol("n"));
  EXPECT_EQ(ir::defined_symbols(graph.nodes[0]), std::vector<std::string>{*shape[1].symbol_name()});
  const Tensor x = floats({2, 3}, {1, 2, 3, 4, 5, 6});
  const auto yes = value_or_throw(ir::interpret(graph, {x, flag(true)}));
  EXPECT_EQ(yes[0].shape(), (std::vector<std::int64_t>{2, 3}));
  EXPECT_EQ(values(yes[0]), (std::vector<float>{2, 4, 6, 8, 10, 12}));
  const auto no = value_or_throw(ir::interpret(graph, {x, flag(false)}));
  EXPECT_EQ(no[0].shape(), (std::vector<std::int64_t>{2, 1}));
  EXPECT_EQ(values(no[0]), (std::vector<float>{1, 4}));
}

TEST(Branch, RanksThatDifferAreRefused) {
  ModelBuilder m;
  m.input("x", {"n"}).input("c", {}, kBool).output("y");
  auto node = m.node("If", {"c"}, {"y"});
  auto& yes = node.name("choice").graph("then_branch");
  add_node(*yes.mutable_node(), "Size", {"x"}, {"s"});
  yes.add_output()->set_name("s");
  node.graph("else_branch").add_output()->set_name("x");
  EXPECT_EQ(message_of(m.import()),
            "operator 'If' at node 'choice': output 'y' is int64[] or float32[n]; dtype and rank must be the same");
}

/// v grows by one element an iteration: v = concat(v, x); out = v's sum so far.
ModelBuilder growing() {
  ModelBuilder m;
  m.input("x", {1}).input("trips", {}, kInt64).input("c", {}, kBool).output("last").output("sums");
  m.ones("start", {0});
  auto node = m.node("Loop", {"trips", "c", "start"}, {"last", "sums"});
  auto& body = node.name("loop").graph("body");
  input(body, "i", kInt64);
  input(body, "go", kBool);
  input(body, "v", proto::TensorProto::FLOAT);
  auto& nodes = *body.mutable_node();
  add_node(nodes, "Identity", {"go"}, {"go_on"});
  add_node(nodes, "Concat", {"v", "x"}, {"longer"}).integer("axis", 0);
  add_node(nodes, "ReduceSum", {"longer"}, {"sum"}).integer("keepdims", 0);
  for (const char* name : {"go_on", "longer", "sum"}) body.add_output()->set_name(name);
  return m;
}

TEST(Loop, CarriedExtentsMayChange) {
  auto m = growing();
  const ir::Graph graph = imported(m);
  const Tensor x = floats({1}, {2});
  for (const std::int64_t trips : {0, 1, 5}) {
    const auto out = value_or_throw(ir::interpret(graph, {x, number(trips), flag(true)}));
    EXPECT_EQ(out[0].shape(), std::vector<std::int64_t>{trips});
    ASSERT_EQ(out[1].shape(), std::vector<std::int64_t>{trips});
    for (std::int64_t i = 0; i < trips; ++i) EXPECT_EQ(out[1].as<float>()[i], 2.0f * static_cast<float>(i + 1));
  }
  const auto none = value_or_throw(ir::interpret(graph, {x, number(5), flag(false)}));
  EXPECT_EQ(none[0].num_elements(), 0);
}

TEST(Loop, ACarriedRankThatChangesIsRefused) {
  ModelBuilder m;
  m.input("x", {2}).input("trips", {}, kInt64).output("y").raw<std::int64_t>("zero", kInt64, {1}, {0});
  auto node = m.node("Loop", {"trips", "", "x"}, {"y"});
  auto& body = node.name("loop").graph("body");
  input(body, "i", kInt64);
  input(body, "go", kBool);
  input(body, "v", proto::TensorProto::FLOAT);
  add_node(*body.mutable_node(), "Unsqueeze", {"v", "zero"}, {"w"});
  for (const char* name : {"go", "w"}) body.add_output()->set_name(name);
  EXPECT_EQ(message_of(m.import()),
            "node 'loop': the carried value 'v' goes in as float32[2] and comes out as float32[1, 2]; dtype and rank "
            "must stay the same");
}

TEST(Scan, SumsAlongAnAxisBackward) {
  ModelBuilder m;
  m.input("x", {3, "n"}).output("total").output("sums").ones("start", {3});
  auto node = m.node("Scan", {"start", "x"}, {"total", "sums"});
  node.name("scan")
      .integer("num_scan_inputs", 1)
      .integers("scan_input_axes", {1})
      .integers("scan_input_directions", {1});
  node.integers("scan_output_axes", {1}).integers("scan_output_directions", {1});
  auto& body = node.graph("body");
  input(body, "s", proto::TensorProto::FLOAT);
  input(body, "e", proto::TensorProto::FLOAT);
  add_node(*body.mutable_node(), "Add", {"s", "e"}, {"t"});
  add_node(*body.mutable_node(), "Identity", {"t"}, {"u"});
  for (const char* name : {"t", "u"}) body.add_output()->set_name(name);
  const ir::Graph graph = imported(m);
  EXPECT_EQ(ir::to_string(graph.value(graph.outputs[1]).shape), "[3, n]");  // nothing ends it early
  const auto out = value_or_throw(ir::interpret(graph, {floats({3, 2}, {1, 2, 3, 4, 5, 6})}));
  EXPECT_EQ(values(out[0]), (std::vector<float>{4, 8, 12}));
  EXPECT_EQ(values(out[1]), (std::vector<float>{4, 3, 8, 5, 12, 7}));
  EXPECT_EQ(value_or_throw(ir::interpret(graph, {Tensor(DType::f32, {3, 0})}))[1].shape(),
            (std::vector<std::int64_t>{3, 0}));
}

}  // namespace
}  // namespace jitney::onnx::testing
