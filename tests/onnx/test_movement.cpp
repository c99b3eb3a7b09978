// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
// Operators that move data or change shapes.
#include "onnx/import_check.h"

namespace jitney::onnx::testing {
namespace {

TEST(Movement, TransposeConcatGather) {
  ModelBuilder m;
  m.input("x", {"n", 3, 4})
      .input("i", {"k"}, proto::TensorProto::INT64)
      .output("t")
      .output("r")
      .output("c")
      .output("g");
  m.node("Transpose", {"x"}, {"t"}).integers("perm", {0, 2, 1});
  m.node("Transpose", {"x"}, {"r"});
  m.node("Concat", {"x", "x"}, {"c"}).integer("axis", -1);
  m.node("Gather", {"x", "i"}, {"g"}).integer("axis", 1);
  const auto graph = imported(m);
  EXPECT_EQ(type_of(graph, 0), "float32 [n, 4, 3]");
  EXPECT_EQ(type_of(graph, 1), "float32 [4, 3, n]");
  EXPECT_EQ(type_of(graph, 2), "float32 [n, 3, 8]");
  EXPECT_EQ(type_of(graph, 3), "float32 [n, k, 4]");
}

TEST(Movement, FlattenSqueezeUnsqueeze) {
  for (const int opset : {11, 13}) {
    ModelBuilder m(opset);
    m.input("x", {"n", 1, 4}).output("f").output("s").output("u").integers("one", {1}).integers("ends", {0, -1});
    m.node("Flatten", {"x"}, {"f"});
    if (opset < 13) {
      m.node("Squeeze", {"x"}, {"s"}).integers("axes", {1});
      m.node("Unsqueeze", {"x"}, {"u"}).integers("axes", {0, -1});
    } else {
      m.node("Squeeze", {"x", "one"}, {"s"});
      m.node("Unsqueeze", {"x", "ends"}, {"u"});
    }
    const auto graph = imported(m);
    EXPECT_EQ(type_of(graph, 0), "float32 [n, 4]");
    EXPECT_EQ(type_of(graph, 1), "float32 [n, 4]");
    EXPECT_EQ(type_of(graph, 2), "float32 [1, n, 1, 4, 1]");
  }
}

TEST(Movement, SqueezeOfAnExtentThatIsNotOne) {
  ModelBuilder m;
  m.input("x", {3, "n"}).output("y").integers("axes", {0});
  m.node("Squeeze", {"x", "axes"}, {"y"}).name("s");
  EXPECT_EQ(message_of(m.import()), "operator 'Squeeze' at node 's': axis 0 of [3, n] must be 1 to be squeezed");
  ModelBuilder symbolic;
  symbolic.input("x", {3, "n"}).output("y").integers("axes", {1});
  symbolic.node("Squeeze", {"x", "axes"}, {"y"});
  const auto graph = imported(symbolic);
  EXPECT_EQ(type_of(graph), "float32 [3]");
  EXPECT_TRUE(ir::bind_symbols(graph, {{3, 1}}).has_value());
  EXPECT_FALSE(ir::bind_symbols(graph, {{3, 2}}).has_value());
}

TEST(Movement, TileAndExpand) {
  ModelBuilder m;
  m.input("x", {"n", 2}).output("t").output("e").integers("repeats", {2, 3}).integers("shape", {4, 1, 1});
  m.node("Tile", {"x", "repeats"}, {"t"});
  m.node("Expand", {"x", "shape"}, {"e"});
  const auto graph = imported(m);
  EXPECT_EQ(type_of(graph, 0), "float32 [2*n, 6]");
  EXPECT_EQ(type_of(graph, 1), "float32 [4, n, 2]");
  const auto outputs = run(graph, {tensor({1, 2}, {1, 2})});
  ASSERT_EQ(outputs.size(), 2U);
  expect_near(values_of(outputs[0]), {1, 2, 1, 2, 1, 2, 1, 2, 1, 2, 1, 2});
}

TEST(Movement, PadWithAxesAndValue) {
  ModelBuilder m(18);
  m.input("x", {"n", 2}).output("y").integers("pads", {1, 2}).reals("fill", {}, {9}).integers("axes", {-1});
  m.node("Pad", {"x", "pads", "fill", "axes"}, {"y"});
  EXPECT_EQ(type_of(imported(m)), "float32 [n, 5]");
  expect_near(run_floats(m, {1, 2}, {1, 2}), {9, 1, 2, 9, 9});
  ModelBuilder old(7);
  old.input("x", {"n", 2}).output("y");
  old.node("Pad", {"x"}, {"y"}).integers("pads", {0, 1, 0, 0}).text("mode", "reflect");
  expect_near(run_floats(old, {1, 2}, {1, 2}), {2, 1, 2});
}

TEST(Movement, Trilu) {
  ModelBuilder m;
  m.input("x", {"n", "n"}).output("u").output("l").integer("k", -1);
  m.node("Trilu", {"x"}, {"u"});
  m.node("Trilu", {"x", "k"}, {"l"}).integer("upper", 0);
  const auto outputs = run(imported(m), {tensor({3, 3}, {1, 2, 3, 4, 5, 6, 7, 8, 9})});
  ASSERT_EQ(outputs.size(), 2U);
  expect_near(values_of(outputs[0]), {1, 2, 3, 0, 5, 6, 0, 0, 9});
  expect_near(values_of(outputs[1]), {0, 0, 0, 4, 0, 0, 7, 8, 0});
}

TEST(Movement, DepthToSpaceAndBack) {
  for (const char* mode : {"DCR", "CRD"}) {
    ModelBuilder m;
    m.input("x", {"n", 8, "h", "w"}).output("y");
    m.node("DepthToSpace", {"x"}, {"y"}).integer("blocksize", 2).text("mode", mode);
    EXPECT_EQ(type_of(imported(m)), "float32 [n, 2, 2*h, 2*w]");
    const bool depth_first = std::string(mode) == "DCR";
    expect_near(run_floats(m, {1, 8, 1, 1}, {0, 1, 2, 3, 4, 5, 6, 7}),
                depth_first ? std::vector<float>{0, 2, 4, 6, 1, 3, 5, 7} : std::vector<float>{0, 1, 2, 3, 4, 5, 6, 7});
  }
  ModelBuilder m;
  m.input("x", {"n", 2, 4, "w"}).output("y");
  m.node("SpaceToDepth", {"x"}, {"y"}).integer("blocksize", 2);
  const auto graph = imported(m);
  EXPECT_EQ(type_of(graph), "float32 [n, 8, 2, floordiv(w, 2)]");
  EXPECT_FALSE(graph.guards.empty());
}

TEST(Movement, ConstantsOfEveryKind) {
  ModelBuilder m;
  m.output("a").output("b").output("c").output("d");
  m.node("Constant", {}, {"a"}).integer("value_int", 4);
  m.node("Constant", {}, {"b"}).integers("value_ints", {4, 5});
  m.node("Constant", {}, {"c"}).real("value_float", 0.5F);
  ModelBuilder::fill(m.node("Constant", {}, {"d"}).tensor("value"), proto::TensorProto::FLOAT, {1, 2},
                     std::vector<float>{1, 2});
  const auto graph = imported(m);
  EXPECT_EQ(type_of(graph, 0), "int64 []");
  EXPECT_EQ(type_of(graph, 1), "int64 [2]");
  EXPECT_EQ(type_of(graph, 2), "float32 []");
  EXPECT_EQ(type_of(graph, 3), "float32 [1, 2]");
}

TEST(Movement, EmptyTensors) {
  ModelBuilder m;
  m.input("x", {"n", 4}).output("y").integers("t", {-1, 2, 2}).ones("w", {4, 4});
  m.node("MatMul", {"x", "w"}, {"a"});
  m.node("Softmax", {"a"}, {"b"});
  m.node("Reshape", {"b", "t"}, {"y"});
  const auto outputs = run(imported(m), {Tensor(DType::f32, {0, 4})});
  ASSERT_EQ(outputs.size(), 1U);
  EXPECT_EQ(outputs[0].shape(), (std::vector<std::int64_t>{0, 2, 2}));
}

}  // namespace
}  // namespace jitney::onnx::testing
