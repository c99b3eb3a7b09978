// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
// Bytes moved, counted by hand.
#include <gtest/gtest.h>

#include "passes/lower.h"
#include "passes/traffic.h"

namespace jitney::passes {
namespace {

using ir::Dim;
using ir::Graph;
using ir::Op;
using ir::Shape;
using ir::ValueId;

const Dim n = Dim::symbol("n");

ValueId input(Graph& g, const std::string& name, Shape s, DType t = DType::f32) {
  g.symbols["n"] = {};
  g.inputs.push_back(g.add_value(name, t, std::move(s)));
  return g.inputs.back();
}

FusionSummary summary(const Graph& g) {
  auto optimized = value_or_throw(optimize(g));
  return summarize_fusion(optimized, value_or_throw(lower(optimized)));
}

TEST(Traffic, AChainOfThreeMovesItsEndsOnly) {
  Graph g;
  ValueId x = input(g, "x", {n, 8}), b = input(g, "b", {8});
  ValueId sum = g.add_node(Op::add, "sum", {x, b}, DType::f32, {n, 8});
  ValueId e = g.add_node(Op::exp, "e", {sum}, DType::f32, {n, 8});
  g.outputs = {g.add_node(Op::neg, "y", {e}, DType::f32, {n, 8})};
  const FusionSummary s = summary(g);
  EXPECT_EQ(s.operators, 3);
  EXPECT_EQ(s.steps, 1);
  EXPECT_EQ(s.unfused.read, Dim(32) * n + Dim(32) + Dim(32) * n + Dim(32) * n);
  EXPECT_EQ(s.unfused.written, Dim(96) * n);
  EXPECT_EQ(s.fused.read, Dim(32) * n + Dim(32));
  EXPECT_EQ(s.fused.written, Dim(32) * n);
}

TEST(Traffic, AnInputReadTwiceByOneOperatorIsReadOnce) {
  Graph g;
  ValueId x = input(g, "x", {n}, DType::f16);
  g.outputs = {g.add_node(Op::mul, "square", {x, x}, DType::f16, {n})};
  EXPECT_EQ(summary(g).unfused.read, Dim(2) * n);
  EXPECT_EQ(summary(g).fused.read, Dim(2) * n);
}

TEST(Traffic, ViewsMoveNothingAndABroadcastIsReadSmall) {
  Graph g;
  ValueId x = input(g, "x", {4, n}), row = input(g, "row", {n});
  ValueId wide = g.add_node(Op::expand, "wide", {row}, DType::f32, {4, n});
  ValueId half =
      g.add_node(Op::slice, "half", {x}, DType::f32, {2, n}, {{"starts", Shape{0, 0}}, {"steps", Shape{2, 1}}});
  ValueId sum = g.add_node(Op::add, "sum", {x, wide}, DType::f32, {4, n});
  g.outputs = {sum, g.add_node(Op::neg, "neg", {half}, DType::f32, {2, n})};
  const FusionSummary s = summary(g);
  EXPECT_EQ(s.operators, 2);
  EXPECT_EQ(s.unfused.read, Dim(16) * n + Dim(4) * n + Dim(8) * n);
  EXPECT_EQ(s.unfused.written, Dim(16) * n + Dim(8) * n);
}

TEST(Traffic, AGatherReadsWhatItGives) {
  Graph g;
  ValueId table = input(g, "table", {30000, 8}), words = input(g, "words", {n}, DType::i64);
  ValueId y = g.add_node(Op::gather, "take", {table, words}, DType::f32, {n, 8}, {{"axis", std::int64_t{0}}});
  g.outputs = {g.add_node(Op::neg, "neg", {y}, DType::f32, {n, 8})};
  const FusionSummary s = summary(g);
  EXPECT_EQ(s.unfused.read, Dim(8) * n + Dim(32) * n + Dim(32) * n);
  EXPECT_EQ(s.fused.read, Dim(8) * n + Dim(32) * n);
  EXPECT_EQ(s.fused.written, Dim(32) * n);
}

}  // namespace
}  // namespace jitney::passes
