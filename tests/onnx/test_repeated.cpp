// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
// What writing out rounds of loops and calls of functions may cost.
#include <set>

#include "onnx/import_check.h"

namespace jitney::onnx::testing {
namespace {

constexpr int kFloat = proto::TensorProto::FLOAT;
constexpr int kInt64 = proto::TensorProto::INT64;
constexpr std::size_t kElements = 4000;

void fill(proto::TensorProto& tensor, float value) {
  ModelBuilder::fill(tensor, kFloat, {kElements}, std::vector<float>(kElements, value));
}

/// The body of a loop over a sequence: appends x + (an initializer) and x + (a Constant) in each round.
void fill_body(proto::GraphProto& body, float value, const std::string& mark) {
  for (const char* name : {"i", "going", "so_far"}) body.add_input()->set_name(mark + name);
  auto& weight = *body.add_initializer();
  fill(weight, value);
  weight.set_name(mark + "weight");
  auto& nodes = *body.mutable_node();
  auto constant = add_node(nodes, "Constant", {}, {mark + "constant"});
  fill(constant.tensor("value"), value + 1);
  add_node(nodes, "Constant", {}, {mark + "list"}).integers("value_ints", {1, 2, 3});
  add_node(nodes, "Add", {"x", mark + "weight"}, {mark + "a"});
  add_node(nodes, "Add", {"x", mark + "constant"}, {mark + "b"});
  add_node(nodes, "SequenceInsert", {mark + "so_far", mark + "a"}, {mark + "longer"});
  add_node(nodes, "SequenceInsert", {mark + "longer", mark + "b"}, {mark + "longest"});
  body.add_output()->set_name(mark + "going");
}

/// A loop in a loop, each of 5 rounds, whose bodies have constants.
ModelBuilder nested() {
  ModelBuilder m;
  m.input("x", {static_cast<int>(kElements)}).output("s");
  m.raw<std::int64_t>("rounds", kInt64, {}, {5});
  m.node("SequenceEmpty", {}, {"none"});
  auto node = m.node("Loop", {"rounds", "", "none"}, {"s"});
  node.name("outer");
  auto& outer = node.graph("body");
  fill_body(outer, 1, "o.");
  auto inside = add_node(*outer.mutable_node(), "Loop", {"rounds", "", "o.longest"}, {"o.all"});
  auto& inner = inside.graph("body");
  fill_body(inner, 3, "i.");
  inner.add_output()->set_name("i.longest");
  outer.add_output()->set_name("o.all");
  return m;
}

struct Constants {
  std::size_t bytes = 0;  ///< each memory once
  std::size_t values = 0;
};
Constants constants_of(const ir::Graph& graph) {
  std::set<const void*> seen;
  Constants found;
  for (const ir::Value& value : graph.values) {
    if (value.constant == nullptr) continue;
    ++found.values;
    if (seen.insert(value.constant->data()).second) found.bytes += value.constant->num_bytes();
  }
  return found;
}

TEST(Repeated, RoundsShareTheirConstants) {
  const auto graph = imported(nested());
  EXPECT_EQ(graph.outputs.size(), 60U);
  const Constants found = constants_of(graph);
  EXPECT_EQ(found.bytes, 4 * kElements * sizeof(float)) << "two of each body, however many rounds there are";
  EXPECT_EQ(found.values, 4U);
  const auto out = run(graph, {tensor({kElements}, std::vector<float>(kElements, 10))});
  ASSERT_EQ(out.size(), 60U);
  for (std::size_t i = 0; i < out.size(); ++i) {
    const std::size_t in_round = i % 12;
    const float wanted = in_round < 2 ? 11.0F + static_cast<float>(in_round) : 13.0F + static_cast<float>(i % 2);
    EXPECT_EQ(values_of(out[i]).back(), wanted) << i;
  }
  // Nothing was charged for them but names.
  EXPECT_EQ(message_of(nested().import({.max_repeated_bytes = 20'000})), "");
}

TEST(Repeated, NamesHaveABudget) {
  ModelBuilder m = nested();
  m.graph().mutable_node(1)->mutable_attribute(0)->mutable_g()->mutable_node(0)->set_name(std::string(30'000, 'n'));
  EXPECT_EQ(message_of(m.import({.max_repeated_bytes = 200'000})), "");
  const std::string message = message_of(m.import({.max_repeated_bytes = 100'000}));
  EXPECT_NE(message.find("writing out loops over sequences and calls of functions copies 30"), std::string::npos)
      << message;
}

TEST(Repeated, WhatRoundsComputeFromConstantsHasABudget) {
  ModelBuilder m = nested();
  m.raw<std::int64_t>("zero", kInt64, {}, {0});
  m.raw<std::int64_t>("many", kInt64, {}, {1000});
  m.raw<std::int64_t>("one", kInt64, {}, {1});
  auto& nodes = *m.graph().mutable_node(1)->mutable_attribute(0)->mutable_g()->mutable_node();
  add_node(nodes, "Range", {"zero", "many", "one"}, {"numbers"});
  EXPECT_EQ(message_of(m.import({.max_repeated_bytes = 60'000})), "");
  const std::string message = message_of(m.import({.max_repeated_bytes = 20'000}));
  EXPECT_NE(message.find("are left of the budget for what a model repeats"), std::string::npos) << message;
}

/// A function that gets a tensor, which each of its nodes has a copy of.
ModelBuilder copying(int calls) {
  ModelBuilder m;
  m.input("x", {static_cast<int>(kElements)}).output("y");
  auto& f = add_function(m, "F", {"a"}, {"b"});
  f.add_attribute("what");
  add_node(*f.mutable_node(), "Constant", {}, {"c"}).proto().add_attribute()->CopyFrom([] {
    proto::AttributeProto attribute;
    attribute.set_name("value");
    attribute.set_type(proto::AttributeProto::TENSOR);
    attribute.set_ref_attr_name("what");
    return attribute;
  }());
  add_node(*f.mutable_node(), "Add", {"a", "c"}, {"b"});
  for (int i = 0; i < calls; ++i) {
    auto call = m.node("F", {i == 0 ? "x" : "y" + std::to_string(i - 1)}, {"y" + std::to_string(i)});
    call.domain("local");
    fill(call.tensor("what"), static_cast<float>(i));
  }
  m.node("Neg", {"y" + std::to_string(calls - 1)}, {"y"});
  return m;
}

TEST(Repeated, WhatCallsCopyHasABudget) {
  const auto graph = imported(copying(3));
  EXPECT_EQ(values_of(run(graph, {tensor({kElements}, std::vector<float>(kElements, 1))})[0])[0], -4)
      << "each call has a constant of its own, though their copies may lie where those before lay";
  EXPECT_EQ(message_of(copying(3).import({.max_repeated_bytes = 100'000})), "");
  const std::string message = message_of(copying(4).import({.max_repeated_bytes = 100'000}));
  EXPECT_NE(message.find("are left of the budget for what a model repeats"), std::string::npos) << message;
}

}  // namespace
}  // namespace jitney::onnx::testing
