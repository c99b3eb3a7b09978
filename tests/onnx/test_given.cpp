// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
// Sequences and optionals as inputs and outputs, for one structure of the inputs; loops over them; SequenceMap.
#include "onnx/import_check.h"

namespace jitney::onnx::testing {
namespace {

constexpr int kFloat = proto::TensorProto::FLOAT;
constexpr int kInt64 = proto::TensorProto::INT64;
constexpr int kBool = proto::TensorProto::BOOL;

/// An input that is a sequence of float tensors with any shape.
void add_sequence(ModelBuilder& m, const std::string& name, bool is_optional = false) {
  auto& input = *m.graph().add_input();
  input.set_name(name);
  auto* type = input.mutable_type();
  if (is_optional) type = type->mutable_optional_type()->mutable_elem_type();
  type->mutable_sequence_type()->mutable_elem_type()->mutable_tensor_type()->set_elem_type(kFloat);
}

GivenInput sequence_of(std::vector<std::size_t> ranks) {
  return {.kind = ValueKind::sequence, .ranks = std::move(ranks), .value = nullptr};
}

ir::Graph import_given(const ModelBuilder& m, const GivenInputs& given) {
  auto graph = m.import({.given = &given});
  if (!graph) {
    ADD_FAILURE() << graph.error().message;
    return {};
  }
  EXPECT_TRUE(ir::verify(*graph, ir::Stage::imported)) << ir::print(*graph);
  return std::move(*graph);
}

/// y = x + x, element by element of a sequence; its body may be given more inputs.
void add_map(ModelBuilder& m, const std::vector<std::string>& inputs) {
  auto node = m.node("SequenceMap", inputs, {"s"});
  node.name("map");
  auto& body = node.graph("body");
  for (std::size_t i = 0; i < inputs.size(); ++i) body.add_input()->set_name("a" + std::to_string(i));
  add_node(*body.mutable_node(), "Add", {"a0", inputs.size() > 1 ? "a1" : "a0"}, {"sum"});
  auto& output = *body.add_output();
  output.set_name("sum");
  output.mutable_type()->mutable_tensor_type()->set_elem_type(kFloat);
}

TEST(Given, ASequenceIsItsTensors) {
  ModelBuilder m;
  add_sequence(m, "in");
  m.output("s");
  add_map(m, {"in"});
  const auto graph = import_given(m, {{"in", sequence_of({1, 2})}});
  ASSERT_EQ(graph.inputs.size(), 2U);
  EXPECT_EQ(graph.value(graph.inputs[1]).name, "in.1");
  EXPECT_EQ(graph.output_names, (std::vector<std::string>{"s.0", "s.1"}));
  const auto out = run(graph, {tensor({2}, {1, 2}), tensor({1, 1}, {5})});
  EXPECT_EQ(values_of(out[0]), (std::vector<float>{2, 4}));
  EXPECT_EQ(values_of(out[1]), (std::vector<float>{10}));
  const auto none = import_given(m, {{"in", sequence_of({})}});
  EXPECT_TRUE(none.outputs.empty());
  EXPECT_EQ(none.metadata.at("sequence_outputs"), "0");
}

TEST(Given, MapsTakeSequencesOfOneLengthAndTensors) {
  ModelBuilder m;
  m.input("x", {2}).input("y", {2}).input("t", {2}).output("s");
  m.node("SequenceConstruct", {"x", "y"}, {"two"});
  add_map(m, {"two", "t"});
  const auto out = run(imported(m), {tensor({2}, {1, 2}), tensor({2}, {3, 4}), tensor({2}, {10, 20})});
  EXPECT_EQ(values_of(out[1]), (std::vector<float>{13, 24}));
  ModelBuilder other;
  other.input("x", {2}).output("s");
  other.node("SequenceConstruct", {"x", "x"}, {"two"});
  other.node("SequenceConstruct", {"x"}, {"one"});
  add_map(other, {"two", "one"});
  EXPECT_EQ(message_of(other.import()), "operator 'SequenceMap' at node 'map': 'two' has 2 tensors, and 'one' has 1");
}

TEST(Given, WhatIsAbsentComesOutAbsent) {
  ModelBuilder m;
  add_sequence(m, "in", true);
  m.output("o").output("there");
  m.node("Identity", {"in"}, {"o"});
  m.node("OptionalHasElement", {"in"}, {"there"});
  const auto nothing = import_given(m, {{"in", {.kind = ValueKind::none, .ranks = {}, .value = nullptr}}});
  EXPECT_EQ(nothing.metadata.at("sequence_outputs"), "~ -");
  EXPECT_EQ(values_of<std::uint8_t>(run(nothing, {})[0])[0], 0);
  const auto something = import_given(m, {{"in", sequence_of({0})}});
  EXPECT_EQ(something.metadata.at("sequence_outputs"), "1 -");
}

/// A loop that carries a sequence, to which each round adds its number as a float.
ModelBuilder loop_model() {
  ModelBuilder m;
  m.input("n", {}, kInt64).input("go", {}, kBool);
  m.output("s");
  m.node("SequenceEmpty", {}, {"none"});
  auto node = m.node("Loop", {"n", "go", "none"}, {"s"});
  node.name("loop");
  auto& body = node.graph("body");
  for (const char* name : {"i", "going", "so_far"}) body.add_input()->set_name(name);
  add_node(*body.mutable_node(), "Cast", {"i"}, {"number"}).integer("to", kFloat);
  add_node(*body.mutable_node(), "SequenceInsert", {"so_far", "number"}, {"longer"});
  for (const char* name : {"going", "longer"}) body.add_output()->set_name(name);
  return m;
}

GivenInput scalar(DType dtype, std::int64_t value) {
  auto t = std::make_shared<Tensor>(dtype, std::vector<std::int64_t>{});
  std::memcpy(t->data(), &value, size_of(dtype));
  return {.kind = ValueKind::tensor, .ranks = {0}, .value = std::move(t)};
}

TEST(Given, LoopsOverSequencesAreWrittenOut) {
  const auto three = import_given(loop_model(), {{"n", scalar(DType::i64, 3)}, {"go", scalar(DType::boolean, 1)}});
  EXPECT_TRUE(three.inputs.empty());
  EXPECT_EQ(three.metadata.at("sequence_outputs"), "3");
  EXPECT_EQ(values_of(run(three, {})[2]), (std::vector<float>{2}));
  const auto never = import_given(loop_model(), {{"n", scalar(DType::i64, 3)}, {"go", scalar(DType::boolean, 0)}});
  EXPECT_EQ(never.metadata.at("sequence_outputs"), "0");
}

TEST(Given, WhatInputsWouldDecideIsSaid) {
  Open open = Open::no;
  EXPECT_EQ(message_of(loop_model().import({.open = &open})),
            "operator 'Loop' at node 'loop' is over sequences or optionals: its number of rounds must be constant");
  EXPECT_EQ(open, Open::values);
  ModelBuilder m;
  add_sequence(m, "in");
  m.output("s");
  m.node("Identity", {"in"}, {"s"});
  EXPECT_EQ(message_of(m.import({.open = &open})), "input 'in' is a sequence, whose structure only a run tells");
  EXPECT_EQ(open, Open::outputs);
  ModelBuilder plain;
  plain.input("x", {2}).output("y");
  plain.node("Nonsense", {"x"}, {"y"});
  EXPECT_FALSE(plain.import({.open = &open}));
  EXPECT_EQ(open, Open::no);
}

TEST(Given, RoundsHaveABudget) {
  const GivenInputs many{{"n", scalar(DType::i64, INT64_MAX)}, {"go", scalar(DType::boolean, 1)}};
  const std::string refused = "operator 'Loop' at node 'loop' is over sequences: it has more than 4096 rounds";
  EXPECT_EQ(message_of(loop_model().import({.given = &many})), refused);
  // A body without nodes costs, too.
  ModelBuilder m = loop_model();
  auto& body = *m.graph().mutable_node(1)->mutable_attribute(0)->mutable_g();
  body.clear_node();
  body.mutable_output(1)->set_name("so_far");
  EXPECT_EQ(message_of(m.import({.given = &many})), refused);
  EXPECT_EQ(message_of(m.import({.max_nodes = 100, .given = &many})),
            "the model has more than 100 nodes, loops over sequences written out");
}

TEST(Given, RanksThatAreDeclaredHold) {
  ModelBuilder m;
  add_sequence(m, "in");
  auto& shape = *m.graph()
                     .mutable_input(0)
                     ->mutable_type()
                     ->mutable_sequence_type()
                     ->mutable_elem_type()
                     ->mutable_tensor_type()
                     ->mutable_shape();
  shape.add_dim()->set_dim_param("n");
  shape.add_dim()->set_dim_value(3);
  m.output("s");
  m.node("Identity", {"in"}, {"s"});
  const auto graph = import_given(m, {{"in", sequence_of({2, 2})}});
  EXPECT_EQ(type_of(graph, 0), "float32 [in.0.d0, 3]");
  EXPECT_EQ(type_of(graph, 1), "float32 [in.1.d0, 3]") << "tensors of a sequence may differ in what has a name";
  const GivenInputs other{{"in", sequence_of({2, 1})}};
  EXPECT_EQ(message_of(m.import({.given = &other})), "input 'in.1' must have rank 2, not 1");
}

TEST(Given, OperatorsAreLookedAtEverywhere) {
  ModelBuilder m = loop_model();
  add_sequence(m, "in");
  add_node(*m.graph().mutable_node(1)->mutable_attribute(0)->mutable_g()->mutable_node(), "Nonsense", {"i"}, {"no"});
  const std::string bytes = m.model.SerializeAsString();
  const auto declared = read_declared(std::as_bytes(std::span(bytes)), {});
  ASSERT_FALSE(declared);
  EXPECT_EQ(declared.error().message, "operator 'Nonsense' (opset 18) at node 'Nonsense_no' is not supported");
}

}  // namespace
}  // namespace jitney::onnx::testing
