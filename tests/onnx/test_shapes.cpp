// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
// Shape computations are evaluated while importing: no node of them remains.
#include "onnx/import_check.h"

namespace jitney::onnx::testing {
namespace {

constexpr int kInt64 = proto::TensorProto::INT64;

TEST(Shapes, ReshapeChainOfExporters) {
  // x.view(x.shape[0], x.shape[1], 4, 8), as the TorchScript exporter writes it.
  ModelBuilder m(17);
  m.input("x", {"batch", "seq", 32})
      .output("y")
      .integer("zero", 0)
      .integer("one", 1)
      .integers("axes", {0})
      .integers("heads", {4})
      .integers("size", {8});
  m.node("Shape", {"x"}, {"shape"});
  m.node("Gather", {"shape", "zero"}, {"b"});
  m.node("Gather", {"shape", "one"}, {"s"});
  m.node("Unsqueeze", {"b", "axes"}, {"b1"});
  m.node("Unsqueeze", {"s", "axes"}, {"s1"});
  m.node("Concat", {"b1", "s1", "heads", "size"}, {"target"}).integer("axis", 0);
  m.node("Reshape", {"x", "target"}, {"y"});
  const auto graph = imported(m);
  EXPECT_EQ(type_of(graph), "float32 [batch, seq, 4, 8]");
  EXPECT_EQ(ops_of(graph), "reshape");
  EXPECT_TRUE(graph.guards.empty());
}

TEST(Shapes, ReshapeWithMinusOneAndZero) {
  ModelBuilder m;
  m.input("x", {"batch", "seq", 32}).output("y").output("z").integers("t", {0, -1, 8}).integers("u", {-1, 32});
  m.node("Reshape", {"x", "t"}, {"y"});
  m.node("Reshape", {"x", "u"}, {"z"});
  const auto graph = imported(m);
  EXPECT_EQ(type_of(graph, 0), "float32 [batch, 4*seq, 8]");
  EXPECT_EQ(type_of(graph, 1), "float32 [batch*seq, 32]");
  EXPECT_TRUE(graph.guards.empty());
}

TEST(Shapes, ReshapeThatMayNotDivideIsGuarded) {
  ModelBuilder m;
  m.input("x", {"n"}).output("y").integers("t", {-1, 4});
  m.node("Reshape", {"x", "t"}, {"y"});
  const auto graph = imported(m);
  EXPECT_EQ(type_of(graph), "float32 [floordiv(n, 4), 4]");
  ASSERT_GE(graph.guards.size(), 1U);
  EXPECT_TRUE(ir::bind_symbols(graph, {{8}}).has_value());
  EXPECT_FALSE(ir::bind_symbols(graph, {{9}}).has_value());
}

TEST(Shapes, AllowZeroKeepsZero) {
  ModelBuilder m;
  m.input("x", {0, 5}).output("y").integers("t", {5, 0});
  m.node("Reshape", {"x", "t"}, {"y"}).integer("allowzero", 1);
  EXPECT_EQ(type_of(imported(m)), "float32 [5, 0]");
}

TEST(Shapes, ExpandWithWhereEqualIdiom) {
  // x.expand(-1, seq, -1): Where(target == -1, ones, target).
  ModelBuilder m;
  m.input("x", {"batch", 1, 8})
      .input("like", {"batch", "seq"})
      .output("y")
      .integers("minus", {-1})
      .integer("one", 1)
      .integer("minus_scalar", -1);
  m.integers("ones_shape", {3});
  m.node("Shape", {"like"}, {"s"}).integer("start", 1).integer("end", 2);
  m.node("Concat", {"minus", "s", "minus"}, {"target"}).integer("axis", 0);
  ModelBuilder::fill(m.node("ConstantOfShape", {"ones_shape"}, {"ones"}).tensor("value"), kInt64, {1},
                     std::vector<std::int64_t>{1});
  m.node("Mul", {"ones", "minus_scalar"}, {"minus_ones"});
  m.node("Equal", {"target", "minus_ones"}, {"is_minus"});
  m.node("Where", {"is_minus", "ones", "target"}, {"final"});
  m.node("Expand", {"x", "final"}, {"y"});
  const auto graph = imported(m);
  EXPECT_EQ(type_of(graph), "float32 [batch, seq, 8]");
  EXPECT_EQ(ops_of(graph), "expand");
}

TEST(Shapes, ArithmeticOnExtents) {
  ModelBuilder m;
  m.input("x", {"n", "m"})
      .output("y")
      .integer("zero", 0)
      .integer("one", 1)
      .integer("two", 2)
      .integers("axes", {0})
      .integers("fill", {7});
  m.node("Shape", {"x"}, {"s"});
  m.node("Gather", {"s", "zero"}, {"n"});
  m.node("Gather", {"s", "one"}, {"m"});
  m.node("Mul", {"n", "m"}, {"nm"});
  m.node("Add", {"nm", "two"}, {"a"});
  m.node("Sub", {"a", "one"}, {"b"});
  m.node("Div", {"b", "two"}, {"c"});
  m.node("Mod", {"n", "two"}, {"d"});
  m.node("Max", {"c", "d"}, {"e"});
  m.node("Cast", {"e"}, {"e32"}).integer("to", proto::TensorProto::INT32);
  m.node("Cast", {"e32"}, {"e64"}).integer("to", kInt64);
  m.node("Unsqueeze", {"e64", "axes"}, {"t"});
  m.node("ConstantOfShape", {"t"}, {"y"});
  const auto graph = imported(m);
  EXPECT_EQ(ops_of(graph), "expand");
  const auto shape = ir::evaluate(graph.value(graph.outputs[0]).shape, {{"n", 5}, {"m", 3}});
  ASSERT_TRUE(shape.has_value());
  EXPECT_EQ(*shape, (std::vector<std::int64_t>{8}));  // max((15 + 2 - 1) / 2, 5 % 2)
}

TEST(Shapes, DivisionTruncatesTowardsZero) {
  // (n - 3) / 2 for n = 0 is -1, where rounding down gives -2.
  ModelBuilder m;
  m.input("x", {"n"}).output("y").integers("three", {3}).integers("two", {2}).integers("five", {5});
  m.node("Shape", {"x"}, {"s"});
  m.node("Sub", {"s", "three"}, {"a"});
  m.node("Div", {"a", "two"}, {"b"});
  m.node("Add", {"b", "five"}, {"c"});
  m.node("ConstantOfShape", {"c"}, {"y"});
  const auto graph = imported(m);
  for (const std::int64_t n : {0, 1, 2, 3, 4, 9}) {
    const auto shape = ir::evaluate(graph.value(graph.outputs[0]).shape, {{"n", n}});
    ASSERT_TRUE(shape.has_value());
    EXPECT_EQ(shape->at(0), (n - 3) / 2 + 5) << n;
  }
}

TEST(Shapes, ReduceProdAndSlice) {
  ModelBuilder m;
  m.input("x", {"n", 3, "h", "w"})
      .output("y")
      .integers("starts", {2})
      .integers("ends", {INT64_MAX})
      .integers("axes", {0})
      .integers("head", {0, 3});
  m.node("Shape", {"x"}, {"s"});
  m.node("Slice", {"s", "starts", "ends", "axes"}, {"hw"});
  m.node("ReduceProd", {"hw", "axes"}, {"p"}).integer("keepdims", 1);
  m.node("Concat", {"head", "p"}, {"t"}).integer("axis", 0);
  m.node("Reshape", {"x", "t"}, {"y"});
  const auto graph = imported(m);
  EXPECT_EQ(type_of(graph), "float32 [n, 3, h*w]");
  EXPECT_TRUE(graph.guards.empty());
}

TEST(Shapes, ShapeUsedAsDataIsMaterialized) {
  ModelBuilder m;
  m.input("x", {"n", 4}).output("y").integer("zero", 0);
  m.node("Shape", {"x"}, {"s"});
  m.node("Gather", {"s", "zero"}, {"n"});
  m.node("Cast", {"n"}, {"f"}).integer("to", proto::TensorProto::FLOAT);
  m.node("Div", {"x", "f"}, {"y"});
  const auto graph = imported(m);
  EXPECT_EQ(ops_of(graph), "dims cast div");
  EXPECT_EQ(type_of(graph), "float32 [n, 4]");
  const auto outputs = run(graph, {tensor({2, 4}, {2, 4, 6, 8, 10, 12, 14, 16})});
  ASSERT_EQ(outputs.size(), 1U);
  expect_near(values_of(outputs[0]), {1, 2, 3, 4, 5, 6, 7, 8});
}

TEST(Shapes, ShapeAsOutput) {
  ModelBuilder m;
  m.input("x", {"n", 4}).output("s").output("count");
  m.node("Shape", {"x"}, {"s"});
  m.node("Size", {"x"}, {"count"});
  const auto graph = imported(m);
  EXPECT_EQ(type_of(graph, 0), "int64 [2]");
  EXPECT_EQ(graph.value(graph.outputs[0]).name, "s");
  const auto outputs = run(graph, {Tensor(DType::f32, {3, 4})});
  ASSERT_EQ(outputs.size(), 2U);
  EXPECT_EQ(values_of<std::int64_t>(outputs[0]), (std::vector<std::int64_t>{3, 4}));
  EXPECT_EQ(values_of<std::int64_t>(outputs[1]), (std::vector<std::int64_t>{12}));
}

TEST(Shapes, RangeOverASymbol) {
  ModelBuilder m;
  m.input("x", {"n"}).output("y").integer("zero", 0).integer("one", 1).integer("two", 2);
  m.node("Shape", {"x"}, {"s"});
  m.node("Squeeze", {"s"}, {"n"});
  m.node("Range", {"one", "n", "two"}, {"y"});
  const auto graph = imported(m);
  for (const std::int64_t n : {0, 1, 2, 6, 7}) {
    const auto outputs = run(graph, {Tensor(DType::f32, {n})});
    ASSERT_EQ(outputs.size(), 1U);
    std::vector<std::int64_t> expected;
    for (std::int64_t i = 1; i < n; i += 2) expected.push_back(i);
    EXPECT_EQ(values_of<std::int64_t>(outputs[0]), expected) << n;
  }
}

TEST(Shapes, LegacyPadChain) {
  // F.pad as the TorchScript exporter writes it: a matrix of pads, reversed and transposed.
  ModelBuilder m(13);
  m.input("x", {"n", 4})
      .output("y")
      .integers("pads", {1, 2, 0, 0})
      .integers("two_columns", {-1, 2})
      .integers("flat", {-1});
  m.integers("starts", {-1}).integers("ends", {INT64_MIN + 1}).integers("axes", {0}).integers("steps", {-1});
  m.node("Reshape", {"pads", "two_columns"}, {"a"});
  m.node("Slice", {"a", "starts", "ends", "axes", "steps"}, {"b"});
  m.node("Transpose", {"b"}, {"c"}).integers("perm", {1, 0});
  m.node("Reshape", {"c", "flat"}, {"d"});
  m.node("Cast", {"d"}, {"e"}).integer("to", kInt64);
  m.node("Pad", {"x", "e"}, {"y"});
  const auto graph = imported(m);
  EXPECT_EQ(type_of(graph), "float32 [n, 7]");
  EXPECT_EQ(ops_of(graph), "pad");
}

TEST(Shapes, AnonymousExtentsGetNames) {
  ModelBuilder m;
  m.input("x", {"", 3, -1}).input("0 odd", {"batch size"}).output("y");
  m.node("Relu", {"x"}, {"y"});
  const auto graph = imported(m);
  EXPECT_EQ(type_of(graph), "float32 [x.d0, 3, x.d2]");
  EXPECT_EQ(ir::to_string(graph.value(graph.inputs[1]).shape), "[batch_size]");
}

TEST(Shapes, AnonymousExtentsAreNobodysEqual) {
  ModelBuilder m;
  m.input("x", {""}).input("y", {"x.d0"}).output("z");
  m.node("Identity", {"x"}, {"z"});
  const auto graph = imported(m);
  EXPECT_TRUE(ir::bind_symbols(graph, {{3}, {4}}).has_value());
}

TEST(Shapes, AShapeOfDataGivesSymbols) {
  ModelBuilder m;
  m.input("x", {"n"}).input("t", {2}, kInt64).output("y");
  m.node("Reshape", {"x", "t"}, {"y"}).name("r");
  const auto graph = imported(m);
  ASSERT_EQ(graph.nodes.size(), 2U);
  EXPECT_EQ(graph.nodes[0].op, ir::Op::read_dims);
  EXPECT_EQ(type_of(graph), "float32 [y:1, y:2]");
  ASSERT_EQ(graph.guards.size(), 1U);
}

TEST(Shapes, AShapeOfUnknownLengthIsRefused) {
  ModelBuilder m;
  m.input("x", {"n"}).input("t", {"rank"}, kInt64).output("y");
  m.node("Reshape", {"x", "t"}, {"y"}).name("r");
  EXPECT_EQ(message_of(m.import()),
            "operator 'Reshape' at node 'r': the shape 't' has rank elements; their number must be known");
}

}  // namespace
}  // namespace jitney::onnx::testing
