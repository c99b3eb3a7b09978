// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include "onnx/import_check.h"

namespace jitney::onnx::testing {
namespace {

const std::vector<float> kMatrix{1, 2, 3, -4, 5, -6};

TEST(Reduce, AxesAsAttributeOrInput) {
  for (const int opset : {11, 13, 18}) {
    for (const char* op : {"ReduceSum", "ReduceMean", "ReduceMax", "ReduceMin", "ReduceProd", "ReduceL1", "ReduceL2",
                           "ReduceSumSquare", "ReduceLogSum", "ReduceLogSumExp"}) {
      const bool as_input = opset >= 18 || (opset >= 13 && std::string(op) == "ReduceSum");
      ModelBuilder m(opset);
      m.input("x", {"a", 3, "b"}).output("y").output("z").integers("axes", {-1, 0});
      auto one = m.node(op, as_input ? std::vector<std::string>{"x", "axes"} : std::vector<std::string>{"x"}, {"y"});
      if (!as_input) one.integers("axes", {-1, 0});
      m.node(op, {"x"}, {"z"}).integer("keepdims", 0);
      const auto graph = imported(m);
      EXPECT_EQ(type_of(graph, 0), "float32 [1, 3, 1]") << op << opset;
      EXPECT_EQ(type_of(graph, 1), "float32 []") << op << opset;
    }
  }
}

TEST(Reduce, Numbers) {
  const std::vector<std::pair<const char*, std::vector<float>>> cases{
      {"ReduceL1", {6, 15}},
      {"ReduceL2", {std::sqrt(14.0F), std::sqrt(77.0F)}},
      {"ReduceSumSquare", {14, 77}},
      {"ReduceLogSumExp",
       {std::log(std::exp(1.0F) + std::exp(2.0F) + std::exp(3.0F)),
        std::log(std::exp(-4.0F) + std::exp(5.0F) + std::exp(-6.0F))}},
      {"ReduceMean", {2, -5.0F / 3}}};
  for (const auto& [op, expected] : cases) {
    ModelBuilder m(18);
    m.input("x", {"n", 3}).output("y").integers("axes", {1});
    m.node(op, {"x", "axes"}, {"y"}).integer("keepdims", 0);
    SCOPED_TRACE(op);
    expect_near(run_floats(m, {2, 3}, kMatrix), expected);
  }
}

TEST(Reduce, LogSumExpDoesNotOverflow) {
  ModelBuilder m(18);
  m.input("x", {3}).output("y");
  m.node("ReduceLogSumExp", {"x"}, {"y"}).integer("keepdims", 0);
  expect_near(run_floats(m, {3}, {1000, 1000, 1000}), {1000 + std::log(3.0F)}, 1e-3F);
  const float inf = std::numeric_limits<float>::infinity();
  EXPECT_EQ(run_floats(m, {3}, {-inf, -inf, -inf}), (std::vector<float>{-inf}));
}

TEST(Reduce, NoAxesMayMeanNothing) {
  ModelBuilder m(18);
  m.input("x", {"n", 3}).output("y");
  m.node("ReduceSum", {"x"}, {"y"}).integer("noop_with_empty_axes", 1);
  EXPECT_EQ(type_of(imported(m)), "float32 [n, 3]");
}

TEST(Reduce, ArgMax) {
  ModelBuilder m(13);
  m.input("x", {"n", 3}).output("y").output("z");
  m.node("ArgMax", {"x"}, {"y"}).integer("axis", -1).integer("keepdims", 0);
  m.node("ArgMin", {"x"}, {"z"}).integer("select_last_index", 1);
  const auto graph = imported(m);
  EXPECT_EQ(type_of(graph, 0), "int64 [n]");
  EXPECT_EQ(type_of(graph, 1), "int64 [1, 3]");
  const auto outputs = run(graph, {tensor({2, 3}, kMatrix)});
  ASSERT_EQ(outputs.size(), 2U);
  EXPECT_EQ(values_of<std::int64_t>(outputs[0]), (std::vector<std::int64_t>{2, 1}));
}

TEST(Softmax, FlattensBeforeOpset13) {
  for (const int opset : {11, 13}) {
    ModelBuilder m(opset);
    m.input("x", {"n", 2, 2}).output("y");
    m.node("Softmax", {"x"}, {"y"}).integer("axis", 1);
    EXPECT_EQ(type_of(imported(m)), "float32 [n, 2, 2]");
    const float half = opset == 11 ? 0.25F : 0.5F;
    expect_near(run_floats(m, {1, 2, 2}, {1, 1, 1, 1}), {half, half, half, half});
  }
}

TEST(Softmax, DefaultAxisDependsOnTheOpset) {
  ModelBuilder old(11);
  old.input("x", {2, 3, 4}).output("y");
  old.node("LogSoftmax", {"x"}, {"y"});
  EXPECT_EQ(ops_of(imported(old)), "reshape log_softmax reshape");
  ModelBuilder recent(13);
  recent.input("x", {2, 3, 4}).output("y");
  recent.node("LogSoftmax", {"x"}, {"y"});
  EXPECT_EQ(imported(recent).nodes.at(0).integer("axis"), 2);
}

TEST(Normalize, LayerNormalizationWithStatistics) {
  ModelBuilder m(17);
  m.input("x", {"n", 3}).output("y").output("mean").output("inverse").ones("s", {3});
  m.node("LayerNormalization", {"x", "s"}, {"y", "mean", "inverse"}).real("epsilon", 0);
  const auto outputs = run(imported(m), {tensor({1, 3}, {1, 2, 3})});
  ASSERT_EQ(outputs.size(), 3U);
  const float s = std::sqrt(1.5F);
  expect_near(values_of(outputs[0]), {-s, 0, s});
  expect_near(values_of(outputs[1]), {2});
  expect_near(values_of(outputs[2]), {s});
}

TEST(Normalize, RmsNormalization) {
  ModelBuilder m(23);
  m.input("x", {"n", 2}).output("y").reals("s", {2}, {1, 10});
  m.node("RMSNormalization", {"x", "s"}, {"y"}).real("epsilon", 0);
  const float rms = std::sqrt(12.5F);
  expect_near(run_floats(m, {1, 2}, {3, 4}), {3 / rms, 40 / rms});
}

TEST(Normalize, BatchNormalization) {
  ModelBuilder m(15);
  m.input("x", {"n", 2, "h", "w"}).output("y").ones("s", {2}).ones("b", {2}).ones("m", {2}).ones("v", {2});
  m.node("BatchNormalization", {"x", "s", "b", "m", "v"}, {"y"}).real("momentum", 0.9F);
  EXPECT_EQ(type_of(imported(m)), "float32 [n, 2, h, w]");
  ModelBuilder training(15);
  training.input("x", {"n", 2}).output("y").ones("s", {2});
  training.node("BatchNormalization", {"x", "s", "s", "s", "s"}, {"y"}).name("bn").integer("training_mode", 1);
  EXPECT_EQ(message_of(training.import()),
            "operator 'BatchNormalization' at node 'bn': training mode is not supported");
}

TEST(Normalize, InstanceAndGroupNormalization) {
  ModelBuilder m(21);
  m.input("x", {"n", 2, 2}).output("i").output("g").reals("s", {2}, {1, 2}).reals("b", {2}, {0, 1});
  m.node("InstanceNormalization", {"x", "s", "b"}, {"i"}).real("epsilon", 0);
  m.node("GroupNormalization", {"x", "s", "b"}, {"g"}).real("epsilon", 0).integer("num_groups", 1);
  const auto outputs = run(imported(m), {tensor({1, 2, 2}, {1, 3, -1, -3})});
  ASSERT_EQ(outputs.size(), 2U);
  expect_near(values_of(outputs[0]), {-1, 1, 3, -1});
  const float d = std::sqrt(5.0F);
  expect_near(values_of(outputs[1]), {1 / d, 3 / d, 1 - 2 / d, 1 - 6 / d});
}

TEST(Normalize, GroupNormalizationScalesGroupsBeforeOpset21) {
  ModelBuilder m(18);
  m.input("x", {"n", 4, 1}).output("y").reals("s", {2}, {1, 10}).reals("b", {2}, {0, 0});
  m.node("GroupNormalization", {"x", "s", "b"}, {"y"}).real("epsilon", 0).integer("num_groups", 2);
  expect_near(run_floats(m, {1, 4, 1}, {1, 3, 5, 9}), {-1, 1, -10, 10});
}

TEST(Normalize, LpNormalizationOfZeros) {
  ModelBuilder m(22);
  m.input("x", {"n", 2}).output("y");
  m.node("LpNormalization", {"x"}, {"y"});
  expect_near(run_floats(m, {2, 2}, {3, 4, 0, 0}), {0.6F, 0.8F, 0, 0});
}

}  // namespace
}  // namespace jitney::onnx::testing
