// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
// What nodes of opset 6 mean by broadcasting and by 'is_test'.
#include "onnx/import_check.h"

namespace jitney::onnx::testing {
namespace {

ModelBuilder two_inputs(const std::string& op, std::vector<Extent> second,
                        std::vector<std::pair<std::string, int>> attributes) {
  ModelBuilder m(6);
  m.input("x", {2, 3, 2}).input("w", std::move(second)).output("y");
  auto node = m.node(op, {"x", "w"}, {"y"}).name("n");
  for (const auto& [name, value] : attributes) node.integer(name, value);
  return m;
}

std::string refusal(const ModelBuilder& m) {
  const auto graph = m.import();
  return graph ? "imported" : graph.error().message;
}

const Tensor kX = tensor({2, 3, 2}, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12});
const Tensor kChannels = tensor({3}, {10, 20, 30});

TEST(Opset6, TheSecondOperandLiesAlongAnAxis) {
  const auto sum = run(imported(two_inputs("Add", {3}, {{"broadcast", 1}, {"axis", 1}})), {kX, kChannels});
  EXPECT_EQ(values_of(sum.at(0)), (std::vector<float>{11, 12, 23, 24, 35, 36, 17, 18, 29, 30, 41, 42}));
  const auto negative = run(imported(two_inputs("Add", {3}, {{"broadcast", 1}, {"axis", -2}})), {kX, kChannels});
  EXPECT_EQ(values_of(negative.at(0)), values_of(sum.at(0)));
}

TEST(Opset6, OrAlongTheLastOnes) {
  const auto sum = run(imported(two_inputs("Sub", {2}, {{"broadcast", 1}})), {kX, tensor({2}, {1, 2})});
  EXPECT_EQ(values_of(sum.at(0)), (std::vector<float>{0, 0, 2, 2, 4, 4, 6, 6, 8, 8, 10, 10}));
}

TEST(Opset6, SlopesOfPReluAreThoseOfChannels) {
  const Tensor x = tensor({2, 3, 2}, {-1, 1, -1, 1, -1, 1, -1, 1, -1, 1, -1, 1});
  const auto y = run(imported(two_inputs("PRelu", {3}, {})), {x, kChannels});
  EXPECT_EQ(values_of(y.at(0)), (std::vector<float>{-10, 1, -20, 1, -30, 1, -10, 1, -20, 1, -30, 1}));
}

TEST(Opset6, WhatDoesNotFitIsRefused) {
  EXPECT_EQ(refusal(two_inputs("Mul", {3}, {{"broadcast", 1}, {"axis", 3}})),
            "operator 'Mul' at node 'n': axis 3 is outside [-3, 2] for rank 3");
  EXPECT_EQ(refusal(two_inputs("Mul", {3, 2}, {{"broadcast", 1}, {"axis", 2}})),
            "operator 'Mul' at node 'n': its second input [3, 2] does not fit into [2, 3, 2] from axis 2 on");
  EXPECT_EQ(
      refusal(two_inputs("Mul", {2}, {})),
      "operator 'Mul' at node 'n': before opset 7 its inputs must have one shape unless 'broadcast' is 1; they are "
      "[2, 3, 2] and [2]");
}

TEST(Opset6, TrainingIsRefused) {
  ModelBuilder m(6);
  m.input("x", {"n"}).output("y");
  m.node("Dropout", {"x"}, {"y"}).name("n");
  EXPECT_EQ(refusal(m), "operator 'Dropout' at node 'n': training mode is not supported; 'is_test' must be 1");
}

TEST(Opset6, AModelOfAnotherDomainAloneIsRefusedByItsOperator) {
  ModelBuilder m;
  m.input("x", {"n"}).output("y");
  m.node("Binarizer", {"x"}, {"y"}).name("n");
  m.model.mutable_graph()->mutable_node(0)->set_domain("ai.onnx.ml");
  m.model.mutable_opset_import(0)->set_domain("ai.onnx.ml");
  EXPECT_EQ(refusal(m), "operator 'Binarizer' of domain 'ai.onnx.ml' at node 'n' is not supported");
  m.model.mutable_graph()->mutable_node(0)->set_domain("");
  m.model.mutable_graph()->mutable_node(0)->set_op_type("Relu");
  EXPECT_EQ(refusal(m), "the model names no version of the ONNX operator set, which 'n' needs");
}

}  // namespace
}  // namespace jitney::onnx::testing
