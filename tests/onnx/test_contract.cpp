// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
// MatMul, Gemm, Conv and pooling.
#include "onnx/import_check.h"

namespace jitney::onnx::testing {
namespace {

TEST(Contract, MatMulBroadcastsBatches) {
  ModelBuilder m;
  m.input("x", {"b", 1, "s", 8}).output("y").ones("w", {4, 8, 5});
  m.node("MatMul", {"x", "w"}, {"y"});
  EXPECT_EQ(type_of(imported(m)), "float32 [b, 4, s, 5]");
}

TEST(Contract, GemmWithEveryAttribute) {
  ModelBuilder m;
  m.input("x", {2, "n"}).output("y").reals("w", {3, 2}, {1, 0, 0, 1, 1, 1}).reals("c", {3}, {1, 2, 3});
  m.node("Gemm", {"x", "w", "c"}, {"y"}).integer("transA", 1).integer("transB", 1).real("alpha", 2).real("beta", 10);
  EXPECT_EQ(type_of(imported(m)), "float32 [n, 3]");
  // x transposed has the row (3, 4).
  expect_near(run_floats(m, {2, 1}, {3, 4}), {16, 28, 44});
}

TEST(Contract, ConvShapes) {
  ModelBuilder m;
  m.input("x", {"n", 4, 9, "w"}).output("a").output("b").output("c").ones("k", {6, 2, 3, 3}).ones("bias", {6});
  m.node("Conv", {"x", "k", "bias"}, {"a"})
      .integer("group", 2)
      .integers("strides", {2, 2})
      .integers("pads", {1, 1, 1, 1})
      .integers("kernel_shape", {3, 3});
  m.node("Conv", {"x", "k"}, {"b"}).integer("group", 2).text("auto_pad", "SAME_UPPER");
  m.node("Conv", {"x", "k"}, {"c"}).integer("group", 2).integers("dilations", {2, 1}).text("auto_pad", "VALID");
  const auto graph = imported(m);
  EXPECT_EQ(type_of(graph, 0), "float32 [n, 6, 5, floordiv(w + 1, 2)]");
  EXPECT_EQ(type_of(graph, 1), "float32 [n, 6, 9, w]");
  EXPECT_EQ(type_of(graph, 2), "float32 [n, 6, 5, w - 2]");
}

TEST(Contract, ConvErrors) {
  ModelBuilder channels;
  channels.input("x", {"n", 3, 8, 8}).output("y").ones("k", {6, 4, 3, 3});
  channels.node("Conv", {"x", "k"}, {"y"}).name("c1");
  EXPECT_NE(message_of(channels.import()).find("c1"), std::string::npos);
  ModelBuilder kernel;
  kernel.input("x", {"n", 3, 8, 8}).output("y").ones("k", {6, 3, 3, 3});
  kernel.node("Conv", {"x", "k"}, {"y"}).name("c2").integers("kernel_shape", {5, 5});
  EXPECT_EQ(message_of(kernel.import()),
            "operator 'Conv' at node 'c2': kernel_shape [5, 5] contradicts its weight [6, 3, 3, 3]");
  ModelBuilder pads;
  pads.input("x", {"n", 3, 8, 8}).output("y").ones("k", {6, 3, 3, 3});
  pads.node("Conv", {"x", "k"}, {"y"}).name("c3").integers("pads", {1, 1});
  EXPECT_EQ(message_of(pads.import()), "operator 'Conv' at node 'c3': pads has 2 entries; 4 are needed");
}

TEST(Pool, FloorAndCeil) {
  ModelBuilder m(19);
  m.input("x", {"n", 1, 6}).output("floor").output("ceil").output("average");
  m.node("MaxPool", {"x"}, {"floor"}).integers("kernel_shape", {3}).integers("strides", {2});
  m.node("MaxPool", {"x"}, {"ceil"}).integers("kernel_shape", {3}).integers("strides", {2}).integer("ceil_mode", 1);
  m.node("AveragePool", {"x"}, {"average"})
      .integers("kernel_shape", {2})
      .integers("pads", {1, 1})
      .integer("count_include_pad", 1);
  const auto graph = imported(m);
  EXPECT_EQ(type_of(graph, 0), "float32 [n, 1, 2]");
  EXPECT_EQ(type_of(graph, 1), "float32 [n, 1, 3]");
  const auto outputs = run(graph, {tensor({1, 1, 6}, {2, 4, 6, 8, 10, 12})});
  ASSERT_EQ(outputs.size(), 3U);
  expect_near(values_of(outputs[0]), {6, 10});
  expect_near(values_of(outputs[1]), {6, 10, 12});
  expect_near(values_of(outputs[2]), {1, 3, 5, 7, 9, 11, 6});
}

TEST(Pool, CeilDropsAWindowThatStartsInThePadding) {
  ModelBuilder m;
  m.input("x", {1, 1, 5}).output("y");
  m.node("MaxPool", {"x"}, {"y"})
      .integers("kernel_shape", {2})
      .integers("strides", {3})
      .integers("pads", {1, 1})
      .integer("ceil_mode", 1);
  // 1 + ceil((5 + 2 - 2) / 3) = 3 windows, of which the last would start at 6 - 1 = 5, outside.
  EXPECT_EQ(type_of(imported(m)), "float32 [1, 1, 2]");
}

TEST(Pool, WindowLargerThanTheInput) {
  ModelBuilder m;
  m.input("x", {1, 1, 2}).output("y");
  m.node("MaxPool", {"x"}, {"y"}).name("p").integers("kernel_shape", {3});
  EXPECT_EQ(message_of(m.import()),
            "operator 'MaxPool' at node 'p': the window is 3 long on axis 2, more than the padded input's 2");
}

TEST(Pool, Global) {
  ModelBuilder m;
  m.input("x", {"n", 3, "h", "w"}).output("a").output("b");
  m.node("GlobalAveragePool", {"x"}, {"a"});
  m.node("GlobalMaxPool", {"x"}, {"b"});
  const auto graph = imported(m);
  EXPECT_EQ(type_of(graph, 0), "float32 [n, 3, 1, 1]");
  EXPECT_EQ(ops_of(graph), "reduce_mean reduce_max");
}

}  // namespace
}  // namespace jitney::onnx::testing
