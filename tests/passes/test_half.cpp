// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
// Models of f16 and bf16 whose exporter writes casts to f32 around what is computed in f32 anyway.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "ir/graph.h"
#include "passes/eliminate_dead.h"
#include "passes/recognize_attention.h"
#include "passes/simplify.h"

namespace jitney::passes {
namespace {

using ir::Graph;
using ir::Op;
using ir::ValueId;

ValueId input(Graph& g, const char* name, ir::Shape shape, DType dtype) {
  g.inputs.push_back(g.add_value(name, dtype, std::move(shape)));
  return g.inputs.back();
}

std::vector<Op> ops_of(const Graph& g) {
  std::vector<Op> ops;
  for (const auto& node : g.nodes) ops.push_back(node.op);
  return ops;
}

std::vector<Op> simplified(DType from, DType inside, DType to) {
  Graph g;
  const ir::Shape shape{4, 8};
  const ValueId x = input(g, "x", shape, from);
  const ValueId wide = g.add_node(Op::cast, "wide", {x}, inside, shape);
  const ValueId active = g.add_node(Op::gelu_erf, "gelu", {wide}, inside, shape);
  g.outputs = {g.add_node(Op::cast, "narrow", {active}, to, shape)};
  return ops_of(value_or_throw(eliminate_dead(value_or_throw(simplify(g)))));
}

TEST(Half, AnActivationNeedsNoCastsAroundIt) {
  EXPECT_EQ(simplified(DType::f16, DType::f32, DType::f16), std::vector{Op::gelu_erf});
  EXPECT_EQ(simplified(DType::bf16, DType::f32, DType::bf16), std::vector{Op::gelu_erf});
  EXPECT_EQ(simplified(DType::f16, DType::f32, DType::bf16).size(), 3u);
  EXPECT_EQ(simplified(DType::f16, DType::f64, DType::f16).size(), 3u);
  EXPECT_EQ(simplified(DType::f32, DType::f64, DType::f32).size(), 3u);
}

/// q k' in `dtype`, the softmax in f32, and the product with v in `dtype` again.
Graph attention(DType dtype, bool has_mask, bool reads_scores) {
  Graph g;
  const ir::Shape rows{2, 3, 16, 8}, across{2, 3, 8, 16}, scored{2, 3, 16, 16};
  const ValueId q = input(g, "q", rows, dtype), k = input(g, "k", across, dtype), v = input(g, "v", rows, dtype);
  ValueId scores = g.add_node(Op::matmul, "scores", {q, k}, dtype, scored);
  if (has_mask) scores = g.add_node(Op::add, "masked", {scores, input(g, "mask", scored, dtype)}, dtype, scored);
  const ValueId wide = g.add_node(Op::cast, "wide", {scores}, DType::f32, scored);
  const ValueId weights = g.add_node(Op::softmax, "softmax", {wide}, DType::f32, scored, {{"axis", std::int64_t{3}}});
  const ValueId narrow = g.add_node(Op::cast, "narrow", {weights}, dtype, scored);
  g.outputs = {g.add_node(Op::matmul, "y", {narrow, v}, dtype, rows)};
  if (reads_scores) g.outputs.push_back(wide);
  return g;
}

std::size_t attentions(const Graph& g) {
  LowerOptions options;
  options.offers = [](const backend::LibraryCall& call) {
    return std::holds_alternative<backend::AttentionCall>(call);
  };
  const auto ops = ops_of(value_or_throw(recognize_attention(g, options)));
  return static_cast<std::size_t>(std::ranges::count(ops, Op::attention));
}

TEST(Half, AnAttentionWhoseSoftmaxIsInF32IsOne) {
  for (const DType dtype : {DType::f16, DType::bf16})
    for (const bool has_mask : {false, true}) EXPECT_EQ(attentions(attention(dtype, has_mask, false)), 1u);
}

TEST(Half, WhatElseIsReadOrMeantStays) {
  EXPECT_EQ(attentions(attention(DType::f16, false, true)), 0u) << "somebody wants the scores";
  EXPECT_EQ(attentions(attention(DType::f64, false, false)), 0u) << "f32 would be less than was asked for";
}

/// q k' and so on, where the keys are the permuted rows of what is 24 wide; how its call is described.
backend::AttentionCall described(const std::vector<std::int64_t>& perm, const ir::Shape& rows) {
  Graph g;
  const ir::Shape q_shape{2, 3, 16, 8}, across{2, 3, 8, 16}, scored{2, 3, 16, 16};
  const ValueId q = input(g, "q", q_shape, DType::f16), k = input(g, "k", rows, DType::f16),
                v = input(g, "v", q_shape, DType::f16);
  const ValueId keys = g.add_node(Op::permute, "across", {k}, DType::f16, across, {{"perm", perm}});
  const ValueId scores = g.add_node(Op::matmul, "scores", {q, keys}, DType::f16, scored);
  const ValueId weights = g.add_node(Op::softmax, "softmax", {scores}, DType::f16, scored, {{"axis", std::int64_t{3}}});
  g.outputs = {g.add_node(Op::matmul, "y", {weights, v}, DType::f16, q_shape)};
  backend::AttentionCall found;
  LowerOptions options;
  options.offers = [&](const backend::LibraryCall& call) {
    if (const auto* attention = std::get_if<backend::AttentionCall>(&call)) found = *attention;
    return false;
  };
  value_or_throw(recognize_attention(g, options));
  return found;
}

TEST(Half, KeysThatWerePermutedForTheProductLieAsTheyDidBefore) {
  const std::vector<std::int64_t> shape{2, 3, 16, 8};
  for (const auto& k : {described({0, 1, 3, 2}, {2, 3, 16, 8}).k, described({0, 2, 3, 1}, {2, 16, 3, 8}).k}) {
    EXPECT_EQ(k.shape, shape);
    EXPECT_EQ(k.strides.back(), 1) << "a library that wants heads dense takes them";
  }
  EXPECT_EQ(described({0, 1, 3, 2}, {2, 3, 16, 8}).k.strides, (std::vector<std::int64_t>{384, 128, 8, 1}));
  EXPECT_EQ(described({0, 2, 3, 1}, {2, 16, 3, 8}).k.strides, (std::vector<std::int64_t>{384, 8, 24, 1}));
  EXPECT_EQ(described({0, 1, 2, 3}, {2, 3, 8, 16}).k.strides, (std::vector<std::int64_t>{384, 128, 1, 16}));
}

}  // namespace
}  // namespace jitney::passes
