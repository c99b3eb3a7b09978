// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "onnx/import_check.h"

namespace jitney::onnx::testing {
namespace {

constexpr int kInt64 = proto::TensorProto::INT64;

TEST(Sequences, LeaveNoTrace) {
  ModelBuilder m;
  m.input("x", {2, "n"}).output("y").output("count");
  m.raw<std::int64_t>("one", kInt64, {}, {1});
  m.raw<std::int64_t>("minus", kInt64, {}, {-1});
  m.node("SplitToSequence", {"x"}, {"rows"}).integer("keepdims", 0);
  m.node("SequenceAt", {"rows", "one"}, {"second"});
  m.node("SequenceInsert", {"rows", "second"}, {"three"});
  m.node("SequenceErase", {"three", "minus"}, {"two"});
  m.node("SequenceInsert", {"two", "second", "one"}, {"again"});
  m.node("SequenceLength", {"again"}, {"count"});
  m.node("ConcatFromSequence", {"again"}, {"y"}).integer("axis", 1).integer("new_axis", 1);
  const auto graph = imported(m);
  EXPECT_EQ(type_of(graph), "float32 [n, 3]");
  const auto out = run(graph, {tensor({2, 2}, {1, 2, 3, 4})});
  EXPECT_EQ(values_of(out[0]), (std::vector<float>{1, 3, 3, 2, 4, 4}));
  EXPECT_EQ(values_of<std::int64_t>(out[1]), std::vector<std::int64_t>{3});
}

TEST(Sequences, Optionals) {
  ModelBuilder m;
  m.input("x", {2}).output("y").output("there").output("not");
  m.node("Optional", {"x"}, {"o"});
  m.node("OptionalGetElement", {"o"}, {"y"});
  m.node("OptionalHasElement", {"o"}, {"there"});
  m.node("Optional", {}, {"nothing"});
  m.node("OptionalHasElement", {"nothing"}, {"not"});
  const auto out = run(imported(m), {tensor({2}, {1, 2})});
  ASSERT_EQ(out.size(), 3U);
  EXPECT_EQ(values_of(out[0]), (std::vector<float>{1, 2}));
  EXPECT_EQ(values_of<std::uint8_t>(out[1])[0], 1);
  EXPECT_EQ(values_of<std::uint8_t>(out[2])[0], 0);
}

TEST(Sequences, WhatIsNotKnownIsRefused) {
  ModelBuilder taken;
  taken.input("x", {2}).input("i", {}, kInt64).output("y");
  taken.node("SequenceConstruct", {"x", "x"}, {"s"});
  taken.node("SequenceAt", {"s", "i"}, {"y"}).name("at");
  EXPECT_EQ(message_of(taken.import()),
            "operator 'SequenceAt' at node 'at': the position 'i' must be constant; it depends on data");
  ModelBuilder used;
  used.input("x", {2}).output("y");
  used.node("SequenceConstruct", {"x", "x"}, {"s"});
  used.node("Neg", {"s"}, {"y"}).name("neg");
  EXPECT_EQ(message_of(used.import()), "operator 'Neg' at node 'neg' takes tensors, and 's' is a sequence");
  ModelBuilder empty;
  empty.input("x", {2}).output("s");
  empty.node("SequenceEmpty", {}, {"s"});
  EXPECT_EQ(message_of(empty.import()), "output 's' is an empty sequence");
  ModelBuilder none;
  none.input("x", {2}).output("o");
  none.node("Optional", {}, {"o"});
  EXPECT_EQ(message_of(none.import()), "output 'o' is an optional that holds nothing");
}

TEST(Sequences, OutputsAreTheirTensors) {
  ModelBuilder given;
  given.input("x", {2}).output("s").output("y");
  given.node("SequenceConstruct", {"x", "x"}, {"s"});
  given.node("Neg", {"x"}, {"y"});
  const auto graph = given.import();
  ASSERT_TRUE(graph);
  EXPECT_EQ(graph->output_names, (std::vector<std::string>{"s.0", "s.1", "y"}));
  EXPECT_EQ(graph->metadata.at("sequence_outputs"), "2 -");
}

}  // namespace
}  // namespace jitney::onnx::testing
