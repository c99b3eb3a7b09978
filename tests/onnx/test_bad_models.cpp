// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
// Every way a model can be wrong gets one sentence that says what, where and what is allowed.
#include <thread>

#include <limits>

#include "frontend/onnx/graph_builder.h"
#include "onnx/import_check.h"

namespace jitney::onnx::testing {
namespace {

void expect_refused(const ModelBuilder& m, const std::string& message) {
  const auto graph = m.import();
  ASSERT_FALSE(graph.has_value());
  EXPECT_EQ(graph.error().kind, ErrorKind::user);
  EXPECT_EQ(graph.error().message, message);
}

ModelBuilder relu() {
  ModelBuilder m;
  m.input("x", {"n"}).output("y");
  return m;
}

TEST(BadModel, UnknownOperator) {
  auto m = relu();
  m.node("Frobnicate", {"x"}, {"y"}).name("n");
  expect_refused(m, "operator 'Frobnicate' (opset 18) at node 'n' is not supported");
}

TEST(BadModel, UnsupportedOperatorWithoutAName) {
  auto m = relu();
  m.node("ImageDecoder", {"x", "x"}, {"y"});
  expect_refused(m, "operator 'ImageDecoder' (opset 18) at node 'ImageDecoder_y' is not supported");
}

TEST(BadModel, NodeWithoutOutputs) {
  auto m = relu();
  m.node("Constant", {}, {}).name("n");
  expect_refused(m, "operator 'Constant' at node 'n' has no outputs");
}

TEST(BadModel, UnknownDomain) {
  auto m = relu();
  m.node("FusedGelu", {"x"}, {"y"}).name("n").domain("com.example");
  expect_refused(m, "operator 'FusedGelu' of domain 'com.example' at node 'n' is not supported");
}

TEST(BadModel, OperatorNewerThanTheDeclaredOpset) {
  ModelBuilder m(17);
  m.input("x", {"n"}).output("y");
  m.node("Gelu", {"x"}, {"y"}).name("g");
  expect_refused(m, "operator 'Gelu' at node 'g' exists from opset 20 on; the model declares 17");
}

TEST(BadModel, Opsets) {
  for (const int opset : {1, 5}) {
    ModelBuilder m(opset);
    m.input("x", {"n"}).output("y");
    m.node("Relu", {"x"}, {"y"});
    expect_refused(m, fmt::format("the model uses opset {}; 6 and newer are supported", opset));
  }
  auto none = relu();
  none.node("Relu", {"x"}, {"y"});
  none.model.clear_opset_import();
  expect_refused(none, "the model names no version of the ONNX operator set");
  ModelBuilder future(1000);
  future.input("x", {"n"}).output("y");
  future.node("Relu", {"x"}, {"y"});
  EXPECT_EQ(ops_of(imported(future)), "relu");
}

TEST(BadModel, Mode33_Cycle) {
  auto m = relu();
  m.node("Add", {"x", "b"}, {"a"}).name("first");
  m.node("Relu", {"a"}, {"b"}).name("second");
  m.node("Relu", {"b"}, {"y"});
  expect_refused(m, "the model has a cycle: node 'first' depends on its own output");
  auto self = relu();
  self.node("Add", {"x", "y"}, {"y"}).name("loop");
  expect_refused(self, "the model has a cycle: node 'loop' depends on its own output");
}

TEST(BadModel, UnsortedNodesAreSorted) {
  auto m = relu();
  m.node("Neg", {"a"}, {"y"});
  m.node("Relu", {"x"}, {"a"});
  EXPECT_EQ(ops_of(imported(m)), "relu neg");
}

TEST(BadModel, Mode33_LongChainsCostNoStack) {
  auto m = relu();
  const int length = 100'000;
  // In reverse, so that the order has to be found.
  for (int i = length; i-- > 0;) {
    m.node("Relu", {i == 0 ? "x" : fmt::format("v{}", i - 1)}, {i == length - 1 ? "y" : fmt::format("v{}", i)});
  }
  const auto graph = m.import();
  ASSERT_TRUE(graph.has_value());
  EXPECT_EQ(graph->nodes.size(), static_cast<std::size_t>(length));
  ImportOptions few;
  few.max_nodes = 1000;
  EXPECT_EQ(message_of(m.import(few)), "the model has more than 1000 nodes, functions inlined");
}

TEST(BadModel, Mode33_NamesDefinedTwiceOrNever) {
  auto twice = relu();
  twice.node("Relu", {"x"}, {"y"}).name("a");
  twice.node("Neg", {"x"}, {"y"}).name("b");
  expect_refused(twice, "value 'y' is defined twice; the second time by node 'b'");
  auto input = relu();
  input.node("Relu", {"x"}, {"x"}).name("a");
  expect_refused(input, "value 'x' is defined twice; the second time by node 'a'");
  auto inputs = relu();
  inputs.input("x", {3});
  expect_refused(inputs, "input 'x' is defined twice");
  auto never = relu();
  never.node("Add", {"x", "weight"}, {"y"}).name("a");
  expect_refused(never, "node 'a' uses value 'weight', which no input, initializer or node defines");
  auto output = relu();
  expect_refused(output, "output 'y' is not defined by any input, initializer or node");
}

TEST(BadModel, NoGraphOrNoOutputs) {
  ModelBuilder none;
  none.model.clear_graph();
  expect_refused(none, "the file is not an ONNX model, or its graph is missing");
  ModelBuilder empty;
  empty.input("x", {1});
  expect_refused(empty, "the model has no outputs");
}

TEST(BadModel, Inputs) {
  ModelBuilder negative;
  negative.input("x", {3, -5}).output("x");
  expect_refused(negative, "input 'x' has the extent -5 on axis 1; extents must be 0 or more");
  ModelBuilder text;
  text.input("x", {3}, proto::TensorProto::STRING).output("x");
  expect_refused(text, "input 'x' has element type STRING, which is not supported");
  ModelBuilder rank;
  rank.input("x", {3}).output("x");
  rank.graph().mutable_input(0)->mutable_type()->mutable_tensor_type()->clear_shape();
  expect_refused(rank, "input 'x' declares no rank");
  ModelBuilder sequence;
  sequence.output("x").graph().add_input()->set_name("x");
  sequence.graph().mutable_input(0)->mutable_type()->mutable_sequence_type();
  expect_refused(
      sequence, "input 'x' has a type that is not supported: tensors, sequences of tensors, and optionals of both are");
}

TEST(BadModel, InputCount) {
  auto few = relu();
  few.node("Add", {"x"}, {"y"}).name("a");
  expect_refused(few, "operator 'Add' at node 'a' has 1 inputs; it takes 2 to 2");
  auto absent = relu();
  absent.node("Add", {"", "x"}, {"y"}).name("a");
  expect_refused(absent, "operator 'Add' at node 'a' has 2 inputs; it takes 2 to 2");
  auto many = relu();
  many.node("Relu", {"x", "x"}, {"y"}).name("a");
  expect_refused(many, "operator 'Relu' at node 'a' has 2 inputs; it takes 1 to 1");
}

TEST(BadModel, Attributes) {
  auto unknown = relu();
  unknown.node("Relu", {"x"}, {"y"}).name("a").real("slope", 1);
  expect_refused(unknown, "operator 'Relu' at node 'a': attribute 'slope' is not supported at opset 18");
  auto type = relu();
  type.node("LeakyRelu", {"x"}, {"y"}).name("a").integer("alpha", 1);
  expect_refused(type, "operator 'LeakyRelu' at node 'a': attribute 'alpha' has type INT, not FLOAT");
  auto axis = relu();
  axis.node("Softmax", {"x"}, {"y"}).name("a").integer("axis", 1);
  expect_refused(axis, "operator 'Softmax' at node 'a': axis 1 is outside [-1, 0] for rank 1");
}

TEST(BadModel, ActivationOfIntegers) {
  ModelBuilder m;
  m.input("x", {"n"}, proto::TensorProto::INT32).output("y");
  m.node("LeakyRelu", {"x"}, {"y"}).name("a");
  expect_refused(m, "operator 'LeakyRelu' at node 'a': its input must be floating point, not int32");
}

TEST(BadModel, OutputsThatAreNotSupported) {
  ModelBuilder m;
  m.input("x", {"n", 3, 80, 80}).output("y").output("i");
  m.node("MaxPool", {"x"}, {"y", "i"}).name("p").integers("kernel_shape", {20, 20});
  expect_refused(m,
                 "operator 'MaxPool' at node 'p': its output 'Indices' is supported for windows of up to 256 elements");
}

TEST(BadModel, ShapesThatConflict) {
  ModelBuilder add;
  add.input("x", {"n", 3}).output("y").ones("w", {4});
  add.node("Add", {"x", "w"}, {"y"}).name("layer/add");
  const auto message = message_of(add.import());
  EXPECT_NE(message.find("layer/add"), std::string::npos) << message;
  EXPECT_NE(message.find("[4]"), std::string::npos) << message;
  ModelBuilder reshape;
  reshape.input("x", {4, 3}).output("y").integers("t", {5, 2});
  reshape.node("Reshape", {"x", "t"}, {"y"}).name("r");
  expect_refused(reshape, "'r' reshapes [4, 3] to [5, 2], which must have as many elements");
  ModelBuilder gather;
  gather.input("x", {4, 3}).output("y").integer("i", 4);
  gather.node("Gather", {"x", "i"}, {"y"}).name("g");
  expect_refused(gather, "operator 'Gather' at node 'g': index 4 is outside [-4, 3]");
  ModelBuilder dtypes;
  dtypes.input("x", {4}).input("i", {4}, proto::TensorProto::INT64).output("y");
  dtypes.node("Add", {"x", "i"}, {"y"}).name("a");
  EXPECT_NE(message_of(dtypes.import()).find("'a'"), std::string::npos);
}

TEST(BadModel, GarbageAndTruncation) {
  ModelBuilder m;
  m.input("x", {"n", 4}).output("y").ones("w", {4, 4});
  m.node("MatMul", {"x", "w"}, {"y"});
  const std::string bytes = m.model.SerializeAsString();
  const auto import = [](const std::string& text) { return import_bytes(std::as_bytes(std::span(text))); };
  ASSERT_TRUE(import(bytes).has_value());
  EXPECT_EQ(message_of(import("")), "the file is empty; an ONNX model is expected");
  EXPECT_FALSE(import("PK\x03\x04 this is no model at all").has_value());
  // A file cut anywhere is refused, or means something else that is whole (at a boundary of a field).
  for (std::size_t length = 0; length < bytes.size(); ++length) {
    const auto graph = import(bytes.substr(0, length));
    if (graph) {
      EXPECT_TRUE(ir::verify(*graph, ir::Stage::imported).has_value()) << length;
    } else {
      EXPECT_EQ(graph.error().kind, ErrorKind::user) << length << ": " << graph.error().message;
    }
  }
  for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    std::string flipped = bytes;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << (bit % 8)));
    const auto graph = import(flipped);
    if (graph) {
      EXPECT_TRUE(ir::verify(*graph, ir::Stage::imported).has_value()) << bit;
    } else {
      EXPECT_NE(graph.error().kind, ErrorKind::internal) << bit << ": " << graph.error().message;
    }
  }
}

TEST(BadModel, Mode33_DeepNesting) {
  ModelBuilder m;
  m.input("x", {1}).output("y");
  proto::GraphProto* graph = &m.graph();
  for (int depth = 0; depth < 200; ++depth) {
    graph = &add_node(*graph->mutable_node(), "If", {"x"}, {"y"}).graph("then_branch");
  }
  expect_refused(m, "the file is not an ONNX model, or it is truncated or nested more than 100 deep");
}

TEST(BadModel, TooLarge) {
  auto m = relu();
  m.node("Relu", {"x"}, {"y"});
  ImportOptions options;
  options.max_bytes = 10;
  const auto message = message_of(m.import(options));
  EXPECT_NE(message.find("at most 10 are accepted"), std::string::npos) << message;
}

TEST(BadModel, ManyThreadsImportAtOnce) {
  ModelBuilder good;
  good.input("x", {"n", 4}).output("y").ones("w", {4, 4});
  good.node("MatMul", {"x", "w"}, {"y"});
  auto bad = relu();
  bad.node("Frobnicate", {"x"}, {"y"});
  std::vector<std::thread> threads;
  std::vector<int> right(8, 0);
  for (std::size_t t = 0; t < right.size(); ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 50; ++i) right[t] += good.import().has_value() && !bad.import().has_value();
    });
  }
  for (auto& thread : threads) thread.join();
  for (const int count : right) EXPECT_EQ(count, 50);
}

/// What a failure leaves has no type, and nobody looks for one.
TEST(BadModel, PadsThatCutEverything) {
  ModelBuilder m;
  m.input("x", {"n", 2}).output("y").integers("pads", {0, 1, 0, -5});
  m.node("Pad", {"x", "pads"}, {"y"}).name("p");
  expect_refused(m, "operator 'Pad' at node 'p': pads cut more than axis 1 of [n, 2] has");
}

TEST(BadModel, MoreThanOneLimit) {
  ModelBuilder m;
  m.input("b", {1, 6, 4}).input("s", {1, 1, 6}).input("most", {64}, proto::TensorProto::INT64).output("y");
  m.node("NonMaxSuppression", {"b", "s", "most"}, {"y"}).name("n");
  EXPECT_NE(message_of(m.import()).find("its input 2 must have one element"), std::string::npos);
}

TEST(BadModel, AnIdentityOfATypeThatIsOnlyStored) {
  ModelBuilder m;
  m.input("x", {36, 4}, proto::TensorProto::INT4).output("y");
  m.node("EyeLike", {"x"}, {"y"}).name("n");
  expect_refused(m, "operator 'EyeLike' at node 'n': its result cannot be int4");
}

TEST(BadModel, AnExponentOfATypeThatIsOnlyStored) {
  ModelBuilder m;
  m.input("x", {3}).input("e", {3}, proto::TensorProto::FLOAT8E4M3FN).output("y");
  m.node("Pow", {"x", "e"}, {"y"}).name("n");
  expect_refused(m, "node 'n' computes with float8_e4m3fn, which can only be stored and cast");
}

/// What is normalized could not be made; AddressSanitizer sees who looks at it all the same.
TEST(BadModel, GroupsThatDoNotDivideTheChannels) {
  ModelBuilder m;
  m.input("x", {3, 33, 2, 2}).input("s", {33}).input("b", {33}).output("y");
  m.node("GroupNormalization", {"x", "s", "b"}, {"y"}).name("n").integer("num_groups", 2);
  expect_refused(m, "operator 'GroupNormalization' at node 'n': num_groups 2 must divide the 33 channels");
}

/// Attributes are floats, and what they fill may be an integer.
TEST(BadModel, NumbersBeyondAnIntegersRangeSaturate) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  EXPECT_EQ(*make_scalar(kInfinity, DType::i32).as<std::int32_t>(), std::numeric_limits<std::int32_t>::max());
  EXPECT_EQ(*make_scalar(-kInfinity, DType::i64).as<std::int64_t>(), std::numeric_limits<std::int64_t>::min());
  EXPECT_EQ(*make_scalar(300, DType::u8).as<std::uint8_t>(), 255);
  EXPECT_EQ(*make_scalar(-1, DType::u16).as<std::uint16_t>(), 0);
}

}  // namespace
}  // namespace jitney::onnx::testing
