// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
// Arithmetic, activations, logic and casts: formulas against the specification's, on a few numbers each.
#include <cmath>
#include <functional>
#include <ostream>

#include "onnx/import_check.h"

namespace jitney::onnx::testing {
namespace {

const std::vector<float> kNumbers{-3, -0.75F, -0.1F, 0, 0.2F, 0.9F, 4};

struct UnaryCase {
  const char* op;
  int opset;
  std::function<void(NodeBuilder&)> attributes;
  std::function<double(double)> expected;
};

double erf_gelu(double x) { return x / 2 * (1 + std::erf(x / std::sqrt(2.0))); }
double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }
double softplus(double x) { return std::log1p(std::exp(x)); }

void PrintTo(const UnaryCase& c, std::ostream* out) { *out << c.op << " at opset " << c.opset; }

class Unary : public ::testing::TestWithParam<UnaryCase> {};

TEST_P(Unary, Formula) {
  const UnaryCase& c = GetParam();
  ModelBuilder m(c.opset);
  m.input("x", {"n"}).output("y");
  auto node = m.node(c.op, {"x"}, {"y"});
  if (c.attributes) c.attributes(node);
  EXPECT_EQ(type_of(imported(m)), "float32 [n]");
  std::vector<float> expected;
  for (const float x : kNumbers) expected.push_back(static_cast<float>(c.expected(x)));
  expect_near(run_floats(m, {7}, kNumbers), expected);
}

INSTANTIATE_TEST_SUITE_P(
    Activations, Unary,
    ::testing::Values(
        UnaryCase{"LeakyRelu", 16, nullptr, [](double x) { return x < 0 ? 0.01 * x : x; }},
        UnaryCase{"LeakyRelu", 16, [](NodeBuilder& n) { n.real("alpha", 2); },
                  [](double x) { return x < 0 ? 2 * x : x; }},
        UnaryCase{"Elu", 7, [](NodeBuilder& n) { n.real("alpha", 0.5F); },
                  [](double x) { return x < 0 ? 0.5 * std::expm1(x) : x; }},
        UnaryCase{"Selu", 7, nullptr, [](double x) { return 1.0507010 * (x <= 0 ? 1.6732632 * std::expm1(x) : x); }},
        UnaryCase{"Celu", 12, [](NodeBuilder& n) { n.real("alpha", 2); },
                  [](double x) { return std::max(0.0, x) + std::min(0.0, 2 * std::expm1(x / 2)); }},
        UnaryCase{"ThresholdedRelu", 10, [](NodeBuilder& n) { n.real("alpha", 0.5F); },
                  [](double x) { return x > 0.5 ? x : 0; }},
        UnaryCase{"Shrink", 9, [](NodeBuilder& n) { n.real("lambd", 0.5F).real("bias", 0.25F); },
                  [](double x) { return x < -0.5  ? x + 0.25
                                        : x > 0.5 ? x - 0.25
                                                  : 0; }},
        UnaryCase{"HardSigmoid", 7, nullptr, [](double x) { return std::max(0.0, std::min(1.0, 0.2 * x + 0.5)); }},
        UnaryCase{"HardSwish", 14, nullptr, [](double x) { return x * std::max(0.0, std::min(1.0, x / 6 + 0.5)); }},
        UnaryCase{"Softsign", 7, nullptr, [](double x) { return x / (1 + std::abs(x)); }},
        UnaryCase{"Softplus", 7, nullptr, softplus},
        UnaryCase{"Mish", 18, nullptr, [](double x) { return x * std::tanh(softplus(x)); }},
        UnaryCase{"Gelu", 20, nullptr, erf_gelu},
        UnaryCase{"Gelu", 20, [](NodeBuilder& n) { n.text("approximate", "tanh"); },
                  [](double x) { return x / 2 * (1 + std::tanh(std::sqrt(2 / M_PI) * (x + 0.044715 * x * x * x))); }},
        UnaryCase{"Swish", 24, nullptr, [](double x) { return x * sigmoid(x); }},
        UnaryCase{"Swish", 24, [](NodeBuilder& n) { n.real("alpha", 3); }, [](double x) { return x * sigmoid(3 * x); }},
        UnaryCase{"Round", 11, nullptr, [](double x) { return std::nearbyint(x); }},
        UnaryCase{"Erf", 13, nullptr, [](double x) { return std::erf(x); }},
        UnaryCase{"Clip", 10, [](NodeBuilder& n) { n.real("min", -0.5F).real("max", 0.5F); },
                  [](double x) { return std::clamp(x, -0.5, 0.5); }}));

TEST(Elementwise, EveryNameIsKnown) {
  for (const char* op : {"Neg",   "Abs",   "Sqrt", "Exp",     "Log",  "Reciprocal", "Floor", "Ceil", "Sign",
                         "Sin",   "Cos",   "Tan",  "Asin",    "Acos", "Atan",       "Sinh",  "Cosh", "Asinh",
                         "Acosh", "Atanh", "Tanh", "Sigmoid", "Relu", "Identity",   "IsNaN", "IsInf"}) {
    ModelBuilder m(22);
    m.input("x", {"a", 3}).output("y");
    m.node(op, {"x"}, {"y"});
    const std::string expected = op[0] == 'I' && op[1] == 's' ? "bool [a, 3]" : "float32 [a, 3]";
    EXPECT_EQ(type_of(imported(m)), expected) << op;
  }
}

TEST(Elementwise, BinaryBroadcasts) {
  for (const char* op : {"Add", "Sub", "Mul", "Div", "Pow", "Min", "Max", "Sum", "Mean"}) {
    ModelBuilder m;
    m.input("x", {"a", 1, 4}).input("y", {3, 1}).output("z");
    m.node(op, {"x", "y"}, {"z"});
    EXPECT_EQ(type_of(imported(m)), "float32 [a, 3, 4]") << op;
  }
  for (const char* op : {"Equal", "Less", "LessOrEqual", "Greater", "GreaterOrEqual"}) {
    ModelBuilder m;
    m.input("x", {"a", 1, 4}).input("y", {3, 1}).output("z");
    m.node(op, {"x", "y"}, {"z"});
    EXPECT_EQ(type_of(imported(m)), "bool [a, 3, 4]") << op;
  }
}

TEST(Elementwise, ComparisonsHaveTheRightSense) {
  const std::vector<std::pair<const char*, std::vector<std::uint8_t>>> cases{{"Less", {1, 0, 0}},
                                                                             {"LessOrEqual", {1, 1, 0}},
                                                                             {"Greater", {0, 0, 1}},
                                                                             {"GreaterOrEqual", {0, 1, 1}},
                                                                             {"Equal", {0, 1, 0}}};
  for (const auto& [op, expected] : cases) {
    ModelBuilder m;
    m.input("x", {3}).output("z").reals("two", {}, {2});
    m.node(op, {"x", "two"}, {"z"});
    const auto outputs = run(imported(m), {tensor({3}, {1, 2, 3})});
    ASSERT_EQ(outputs.size(), 1U);
    EXPECT_EQ(values_of<std::uint8_t>(outputs[0]), expected) << op;
  }
}

TEST(Elementwise, VariadicAndMean) {
  ModelBuilder m;
  m.input("x", {2}).output("a").output("b").reals("c", {2}, {5, -5}).reals("d", {2}, {2, 2});
  m.node("Max", {"x", "c", "d"}, {"a"});
  m.node("Mean", {"x", "c", "d"}, {"b"});
  const auto outputs = run(imported(m), {tensor({2}, {-1, 9})});
  ASSERT_EQ(outputs.size(), 2U);
  expect_near(values_of(outputs[0]), {5, 9});
  expect_near(values_of(outputs[1]), {2, 2});
}

TEST(Elementwise, PowWithAnotherExponentType) {
  ModelBuilder m;
  m.input("x", {3}).output("y").integer("three", 3);
  m.node("Pow", {"x", "three"}, {"y"});
  expect_near(run_floats(m, {3}, {-2, 0, 3}), {-8, 0, 27});
}

TEST(Elementwise, ClipWithOneBound) {
  ModelBuilder m(13);
  m.input("x", {3}).output("y").reals("high", {}, {1});
  m.node("Clip", {"x", "", "high"}, {"y"});
  expect_near(run_floats(m, {3}, {-2, 0, 3}), {-2, 0, 1});
}

TEST(Elementwise, IsInfOfOneSign) {
  ModelBuilder m;
  m.input("x", {3}).output("y");
  m.node("IsInf", {"x"}, {"y"}).integer("detect_positive", 0);
  const float inf = std::numeric_limits<float>::infinity();
  const auto outputs = run(imported(m), {tensor({3}, {inf, -inf, 0})});
  ASSERT_EQ(outputs.size(), 1U);
  EXPECT_EQ(values_of<std::uint8_t>(outputs[0]), (std::vector<std::uint8_t>{0, 1, 0}));
}

TEST(Elementwise, LogicAndBits) {
  for (const char* op : {"And", "Or", "Xor"}) {
    ModelBuilder m;
    m.input("x", {"n"}, proto::TensorProto::BOOL).output("y");
    m.node(op, {"x", "x"}, {"y"});
    EXPECT_EQ(type_of(imported(m)), "bool [n]") << op;
  }
  for (const char* op : {"BitwiseAnd", "BitwiseOr", "BitwiseXor"}) {
    ModelBuilder m;
    m.input("x", {"n"}, proto::TensorProto::UINT8).output("y");
    m.node(op, {"x", "x"}, {"y"});
    EXPECT_EQ(type_of(imported(m)), "uint8 [n]") << op;
  }
  ModelBuilder shift;
  shift.input("x", {"n"}, proto::TensorProto::UINT8).output("y");
  shift.node("BitShift", {"x", "x"}, {"y"}).text("direction", "RIGHT");
  EXPECT_EQ(ops_of(imported(shift)), "shift_right");
}

TEST(Elementwise, Casts) {
  ModelBuilder m;
  m.input("x", {"n"}).input("like", {1}, proto::TensorProto::FLOAT16).output("a").output("b").output("c");
  m.node("Cast", {"x"}, {"a"}).integer("to", proto::TensorProto::INT32);
  m.node("CastLike", {"x", "like"}, {"b"});
  m.node("Cast", {"x"}, {"c"}).integer("to", proto::TensorProto::FLOAT);
  const auto graph = imported(m);
  EXPECT_EQ(type_of(graph, 0), "int32 [n]");
  EXPECT_EQ(type_of(graph, 1), "float16 [n]");
  EXPECT_EQ(type_of(graph, 2), "float32 [n]");
}

TEST(Elementwise, DropoutIsIdentityAndTrainingIsRefused) {
  ModelBuilder m(13);
  m.input("x", {"n"}).output("y").output("mask");
  m.node("Dropout", {"x"}, {"y", "mask"});
  EXPECT_EQ(type_of(imported(m), 1), "bool [n]");
  ModelBuilder training(13);
  training.input("x", {"n"}).output("y").reals("ratio", {}, {0.5F});
  training.raw("on", proto::TensorProto::BOOL, {}, std::vector<char>{1});
  training.node("Dropout", {"x", "ratio", "on"}, {"y"}).name("d");
  EXPECT_EQ(message_of(training.import()), "operator 'Dropout' at node 'd': training mode is not supported");
}

}  // namespace
}  // namespace jitney::onnx::testing
