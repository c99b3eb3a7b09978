// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "passes/divide.h"

#include <gtest/gtest.h>

#include <cstring>

#include "ir/hosted.h"
#include "passes/lower.h"

namespace jitney::passes {
namespace {

using ir::Dim;
using ir::Graph;
using ir::Op;
using ir::ValueId;

std::vector<std::string> ops(const Graph& g) {
  std::vector<std::string> names;
  for (const auto& node : g.nodes) names.emplace_back(ir::info(node.op).name);
  return names;
}

/// y = -x; i = nonzero(y); z = float(i) + 1; beside it w = exp(x), which needs nothing of the run.
Graph example() {
  Graph g;
  const Dim n = Dim::symbol("n"), k = Dim::symbol("k");
  g.symbols = {{"n", {}}, {"k", {}}};
  const ValueId x = g.add_value("x", DType::f32, {n});
  g.inputs = {x};
  const ValueId y = g.add_node(Op::neg, "neg", {x}, DType::f32, {n});
  const ValueId i = g.add_node(Op::nonzero, "nz", {y}, DType::i64, {1, k}, {{"symbols", ir::Shape{k}}});
  const ValueId f = g.add_node(Op::cast, "cast", {i}, DType::f32, {1, k});
  const ValueId w = g.add_node(Op::exp, "exp", {x}, DType::f32, {n});
  const ValueId z = g.add_node(Op::sqrt, "sqrt", {f}, DType::f32, {1, k});
  g.outputs = {z, w};
  return g;
}

TEST(Divide, AsFewStagesAsTheHostedOperatorsAllow) {
  const Graph divided = divide(example());
  ASSERT_TRUE(ir::verify(divided, ir::Stage::optimized)) << ir::verify(divided, ir::Stage::optimized).error().message;
  EXPECT_EQ(ops(divided), (std::vector<std::string>{"stage", "nonzero", "stage"}));
  EXPECT_EQ(ops(divided.nodes[0].graph("body")), (std::vector<std::string>{"neg", "exp"}));
  EXPECT_EQ(ops(divided.nodes[2].graph("body")), (std::vector<std::string>{"cast", "sqrt"}));
  EXPECT_EQ(divided.nodes[0].outputs.size(), 2U);  // what nonzero reads, and an output
}

TEST(Divide, MeansTheSame) {
  Tensor x(DType::f32, {4});
  const float values[] = {0, 2, 0, -1};
  std::copy(std::begin(values), std::end(values), x.as<float>());
  const auto want = value_or_throw(ir::interpret(example(), {x}));
  const auto got = value_or_throw(ir::interpret(value_or_throw(optimize(example())), {x}));
  ASSERT_EQ(got.size(), want.size());
  for (std::size_t i = 0; i < got.size(); ++i) {
    ASSERT_EQ(got[i].shape(), want[i].shape());
    EXPECT_EQ(std::memcmp(got[i].data(), want[i].data(), got[i].num_bytes()), 0);
  }
}

TEST(Divide, WhatNothingNeedsIsGone) {
  Graph g = example();
  g.outputs = {g.outputs[1]};
  EXPECT_EQ(ops(divide(g)), std::vector<std::string>{"stage"});
  // A symbol is a need too.
  const Dim k = Dim::symbol("k");
  g.outputs = {g.add_node(Op::iota, "iota", {}, DType::i64, {k}, {{"axis", std::int64_t{0}}})};
  EXPECT_EQ(ops(divide(g)), (std::vector<std::string>{"stage", "nonzero", "stage"}));
}

TEST(Divide, AGraphWithoutHostedOperatorsStaysWhole) {
  Graph g;
  g.inputs = {g.add_value("x", DType::f32, {Dim(3)})};
  g.outputs = {g.add_node(Op::exp, "exp", {0}, DType::f32, {Dim(3)})};
  EXPECT_EQ(ops(value_or_throw(optimize(g))), std::vector<std::string>{"exp"});
}

}  // namespace
}  // namespace jitney::passes
