// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>

#include "passes/decompose.h"
#include "passes/eliminate_dead.h"
#include "passes/fold_batch_norm.h"
#include "passes/fold_constants.h"
#include "passes/fuse.h"
#include "passes/lower.h"
#include "passes/share_common.h"
#include "passes/simplify.h"
#include "passes/sink_permutes.h"
#include "passes/views.h"
#include "util/reloadable.h"

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

Tensor filled(std::vector<std::int64_t> shape, float first) {
  Tensor t(DType::f32, std::move(shape));
  for (std::int64_t i = 0; i < t.num_elements(); ++i) t.as<float>()[i] = first + 0.25f * static_cast<float>(i);
  return t;
}

int count(const Graph& g, Op op) {
  return static_cast<int>(
      std::count_if(g.nodes.begin(), g.nodes.end(), [&](const auto& node) { return node.op == op; }));
}

TEST(EliminateDead, DropsWhatNothingUses) {
  Graph g;
  ValueId x = input(g, "x", {n});
  g.add_node(Op::exp, "dead", {x}, DType::f32, {n});
  g.outputs = {g.add_node(Op::neg, "live", {x}, DType::f32, {n})};
  auto r = value_or_throw(eliminate_dead(g));
  ASSERT_EQ(r.nodes.size(), 1u);
  EXPECT_EQ(r.nodes[0].op, Op::neg);
  EXPECT_EQ(r.inputs.size(), 1u);
}

TEST(FoldConstants, ComputesSmallResultsAndLeavesLargeOnes) {
  Graph g;
  ValueId x = input(g, "x", {n, 1});
  ValueId c = g.add_constant("c", filled({2}, 1));
  ValueId e = g.add_node(Op::neg, "neg", {c}, DType::f32, {2});
  ValueId big = g.add_node(Op::expand, "big", {c}, DType::f32, {1000000, 2});
  g.outputs = {g.add_node(Op::add, "add", {x, e}, DType::f32, {n, 2}), big};
  auto r = value_or_throw(fold_constants(g));
  EXPECT_EQ(count(r, Op::neg), 0);
  EXPECT_EQ(count(r, Op::expand), 1);
  EXPECT_EQ(r.value(r.nodes.back().op == Op::add ? r.nodes.back().inputs[1] : r.nodes.front().inputs[1])
                .constant->as<float>()[1],
            -1.25f);
}

TEST(FoldConstants, ReadsALargeConstantOnlySoOften) {
  Graph g;
  ValueId x = input(g, "x", {n});
  ValueId c = g.add_constant("c", filled({1 << 20}, 1));  // 4 MiB, and 16 times that and 256 MiB are read
  for (int i = 0; i < 100; ++i) {
    const ValueId sum = g.add_node(Op::reduce_sum, "sum" + std::to_string(i), {c}, DType::f32, {Dim(1)},
                                   {{"axes", std::vector<std::int64_t>{0}}, {"keepdims", std::int64_t{1}}});
    x = g.add_node(Op::add, "add" + std::to_string(i), {x, sum}, DType::f32, {n});
  }
  g.outputs = {x};
  EXPECT_EQ(count(value_or_throw(fold_constants(g)), Op::reduce_sum), 20);
}

TEST(FoldConstants, ExpandsQuantizedConstantsOnlyWhereTheyAreRead) {
  Graph g;
  ValueId x = input(g, "x", {n, 1000});
  Tensor weights(DType::i8, {1000, 1000});
  weights.as<std::int8_t>()[7] = -3;
  ValueId q = g.add_constant("q", weights);
  ValueId steps = g.add_node(Op::cast, "cast", {q}, DType::f32, {1000, 1000});
  ValueId scale = g.add_constant("scale", filled({1}, 0.25f));
  ValueId w = g.add_node(Op::mul, "scaled", {steps, scale}, DType::f32, {1000, 1000});
  g.outputs = {g.add_node(Op::matmul, "mm", {x, w}, DType::f32, {n, 1000})};
  EXPECT_EQ(count(value_or_throw(fold_constants(g)), Op::mul), 1);  // a file keeps the bytes
  auto r = value_or_throw(expand_constants(g));
  ASSERT_EQ(r.nodes.size(), 1u);
  const Tensor folded = value_or_throw(resident(*r.value(r.nodes[0].inputs[1]).constant));
  EXPECT_EQ(folded.as<float>()[7], -0.75f);
}

TEST(ShareCommon, MergesEqualNodesOnly) {
  Graph g;
  ValueId x = input(g, "x", {n, 4});
  auto soft = [&](std::int64_t axis) {
    return g.add_node(Op::softmax, "s", {x}, DType::f32, {n, 4}, {{"axis", axis}});
  };
  ValueId a = soft(1), b = soft(1), c = soft(0);
  g.outputs = {g.add_node(Op::add, "ab", {a, b}, DType::f32, {n, 4}), c};
  EXPECT_EQ(count(value_or_throw(share_common(g)), Op::softmax), 2);
}

TEST(Simplify, RemovesIdentitiesAndMergesMoves) {
  Graph g;
  using V = std::vector<std::int64_t>;
  ValueId x = input(g, "x", {n, 4, 3});
  ValueId p = g.add_node(Op::permute, "p", {x}, DType::f32, {3, n, 4}, {{"perm", V{2, 0, 1}}});
  ValueId q = g.add_node(Op::permute, "q", {p}, DType::f32, {n, 4, 3}, {{"perm", V{1, 2, 0}}});
  ValueId one = g.add_constant("one", [] {
    Tensor t(DType::f32, {});
    t.as<float>()[0] = 1;
    return t;
  }());
  ValueId y = g.add_node(Op::mul, "y", {q, one}, DType::f32, {n, 4, 3});
  ValueId two = g.add_constant("two", [] {
    Tensor t(DType::f32, {});
    t.as<float>()[0] = 2;
    return t;
  }());
  g.outputs = {g.add_node(Op::pow, "square", {y, two}, DType::f32, {n, 4, 3})};
  auto r = value_or_throw(eliminate_dead(value_or_throw(simplify(value_or_throw(simplify(g))))));
  ASSERT_EQ(r.nodes.size(), 1u) << print(r);
  EXPECT_EQ(r.nodes[0].op, Op::mul);
  EXPECT_EQ(r.nodes[0].inputs, (std::vector<ValueId>{r.inputs[0], r.inputs[0]}));
}

TEST(Simplify, ABatchedTransposeIsAPermute) {
  Graph g;
  using V = std::vector<std::int64_t>;
  const Dim b = Dim::symbol("b");
  g.symbols["b"] = {};
  for (const bool has_one : {false, true}) {
    Graph h = g;
    ValueId x = input(h, "x", has_one ? Shape{1, b, 3, n, 4} : Shape{b, 3, n, 4});
    ValueId merged = h.add_node(Op::reshape, "merged", {x}, DType::f32, {b * Dim(3), n, 4});
    ValueId turned =
        h.add_node(Op::permute, "turned", {merged}, DType::f32, {b * Dim(3), 4, n}, {{"perm", V{0, 2, 1}}});
    h.outputs = {h.add_node(Op::reshape, "apart", {turned}, DType::f32, {b, 3, 4, n})};
    auto r = value_or_throw(eliminate_dead(value_or_throw(simplify(h))));
    EXPECT_EQ(count(r, Op::permute), 1);
    EXPECT_EQ(count(r, Op::reshape), has_one ? 1 : 0) << print(r);
    const std::vector<Tensor> in{has_one ? filled({1, 2, 3, 5, 4}, 0) : filled({2, 3, 5, 4}, 0)};
    const auto want = value_or_throw(ir::interpret(h, in)), got = value_or_throw(ir::interpret(r, in));
    ASSERT_EQ(got[0].shape(), want[0].shape());
    EXPECT_EQ(std::memcmp(got[0].data(), want[0].data(), want[0].num_bytes()), 0);
    // Split in another way it is no such permute.
    h.outputs = {h.add_node(Op::reshape, "other", {turned}, DType::f32, {3, b, 4, n})};
    EXPECT_EQ(count(value_or_throw(eliminate_dead(value_or_throw(simplify(h)))), Op::reshape), 2);
  }
}

TEST(Simplify, AGatherOfOneKnownIndexIsAView) {
  for (const std::int64_t index : {0, 2, -1, 3}) {
    Graph g;
    ValueId x = input(g, "x", {n, 3, 2});
    Tensor i(DType::i64, {});
    *i.as<std::int64_t>() = index;
    g.outputs = {
        g.add_node(Op::gather, "one", {x, g.add_constant("i", i)}, DType::f32, {n, 2}, {{"axis", std::int64_t{1}}})};
    auto r = value_or_throw(eliminate_dead(value_or_throw(simplify(g))));
    EXPECT_EQ(count(r, Op::gather), index == 3 ? 1 : 0) << "what is out of range is said when it runs";
    if (index == 3) continue;
    const std::vector<Tensor> in{filled({4, 3, 2}, 0)};
    const auto want = value_or_throw(ir::interpret(g, in)), got = value_or_throw(ir::interpret(r, in));
    ASSERT_EQ(got[0].shape(), want[0].shape());
    EXPECT_EQ(std::memcmp(got[0].data(), want[0].data(), want[0].num_bytes()), 0);
  }
}

// A model's own permute looks like ours when its rank is 3; what follows wants its order.
TEST(SinkPermutes, LeavesTheModelsOwn) {
  Graph g;
  using V = std::vector<std::int64_t>;
  ValueId x = input(g, "x", {n, 8, 5});
  ValueId p = g.add_node(Op::permute, "p", {x}, DType::f32, {n, 5, 8}, {{"perm", V{0, 2, 1}}});
  g.outputs = {g.add_node(Op::relu, "y", {p}, DType::f32, {n, 5, 8})};
  auto r = value_or_throw(sink_permutes(g));
  ASSERT_EQ(r.nodes.size(), 2u) << print(r);
  EXPECT_EQ(r.nodes.back().op, Op::relu);
}

Graph batch_norm_graph(bool constant_weights) {
  Graph g;
  using V = std::vector<std::int64_t>;
  ValueId x = input(g, "x", {n, 2, 4, 4});
  ValueId w = constant_weights ? g.add_constant("w", filled({3, 2, 1, 1}, -0.5f)) : input(g, "w", {3, 2, 1, 1});
  ValueId y =
      g.add_node(Op::conv, "conv", {x, w}, DType::f32, {n, 3, 4, 4},
                 {{"strides", V{1, 1}}, {"dilations", V{1, 1}}, {"pads", V(4, 0)}, {"groups", std::int64_t{1}}});
  std::vector<ValueId> in{y};
  for (float f : {0.5f, 0.1f, -0.3f, 1.0f}) in.push_back(g.add_constant(fmt::format("p{}", f), filled({3}, f)));
  g.outputs = {g.add_node(Op::batch_norm, "bn", in, DType::f32, {n, 3, 4, 4}, {{"epsilon", 1e-3}})};
  return g;
}

TEST(FoldBatchNorm, GivesTheSameNumbers) {
  for (bool constant : {true, false}) {
    Graph g = batch_norm_graph(constant);
    auto r = value_or_throw(eliminate_dead(value_or_throw(fold_batch_norm(g))));
    EXPECT_EQ(count(r, Op::batch_norm), 0);
    EXPECT_EQ(r.nodes.size(), constant ? 1u : 3u);
    std::vector<Tensor> in{filled({2, 2, 4, 4}, -3)};
    if (!constant) in.push_back(filled({3, 2, 1, 1}, -0.5f));
    auto want = value_or_throw(ir::interpret(g, in)), got = value_or_throw(ir::interpret(r, in));
    for (int i = 0; i < 96; ++i) EXPECT_NEAR(got[0].as<float>()[i], want[0].as<float>()[i], 1e-5);
  }
}

TEST(Views, ReshapeSplitsAndMergesWhereStridesAllow) {
  Graph g;
  using V = std::vector<std::int64_t>;
  ValueId x = input(g, "x", {n, 12});
  ValueId split = g.add_node(Op::reshape, "split", {x}, DType::f32, {n, 3, 4});
  ValueId swap = g.add_node(Op::permute, "swap", {split}, DType::f32, {n, 4, 3}, {{"perm", V{0, 2, 1}}});
  ValueId merge = g.add_node(Op::reshape, "merge", {swap}, DType::f32, {n, 12});
  g.outputs = {merge};
  StridedView whole{x, 0, contiguous_strides(g.value(x).shape)};
  auto a = view_through(g, g.nodes[0], whole);
  ASSERT_TRUE(a);
  EXPECT_EQ(a->strides, (Shape{12, 4, 1}));
  auto b = view_through(g, g.nodes[1], *a);
  ASSERT_TRUE(b);
  EXPECT_EQ(b->strides, (Shape{12, 1, 4}));
  EXPECT_FALSE(view_through(g, g.nodes[2], *b)) << "axes that do not lie side by side cannot merge";
}

Graph fused(const Graph& g) { return value_or_throw(lower(value_or_throw(optimize(g)))); }

TEST(Fuse, ElementwiseChainIsOneRegion) {
  Graph g;
  ValueId x = input(g, "x", {n, 8}), b = input(g, "b", {8});
  ValueId v = x;
  for (int i = 0; i < 50; ++i)
    v = g.add_node(i % 2 ? Op::tanh : Op::add, fmt::format("e{}", i),
                   i % 2 ? std::vector<ValueId>{v} : std::vector<ValueId>{v, b}, DType::f32, {n, 8});
  g.outputs = {v};
  EXPECT_EQ(count(fused(g), Op::region), 1);
}

TEST(Fuse, DiamondThroughAnotherRegionMakesNoCycle) {
  // exp feeds a matmul and an add that also needs the matmul: exp and add must not share a region.
  Graph g;
  ValueId x = input(g, "x", {8, 8});
  ValueId e = g.add_node(Op::exp, "e", {x}, DType::f32, {8, 8});
  ValueId m = g.add_node(Op::matmul, "m", {e, e}, DType::f32, {8, 8});
  ValueId r = g.add_node(Op::reduce_sum, "r", {m}, DType::f32, {8, 1},
                         {{"axes", std::vector<std::int64_t>{1}}, {"keepdims", std::int64_t{1}}});
  g.outputs = {g.add_node(Op::add, "a", {e, r}, DType::f32, {8, 8})};
  Graph f = fused(g);
  std::vector<Tensor> in{filled({8, 8}, -8)};
  auto want = value_or_throw(ir::interpret(g, in)), got = value_or_throw(ir::interpret(f, in));
  for (int i = 0; i < 64; ++i) EXPECT_FLOAT_EQ(got[0].as<float>()[i], want[0].as<float>()[i]);
  EXPECT_GE(count(f, Op::region), 3);
}

TEST(Fuse, EpilogueJoinsTheContraction) {
  Graph g;
  ValueId x = input(g, "x", {n, 8}), w = g.add_constant("w", filled({8, 5}, 0)),
          b = g.add_constant("b", filled({5}, 0));
  ValueId m = g.add_node(Op::matmul, "m", {x, w}, DType::f32, {n, 5});
  ValueId a = g.add_node(Op::add, "bias", {m, b}, DType::f32, {n, 5});
  g.outputs = {g.add_node(Op::gelu_erf, "gelu", {a}, DType::f32, {n, 5})};
  EXPECT_EQ(count(fused(g), Op::region), 1);
}

TEST(Lower, EveryPassIsRecorded) {
  Graph g;
  ValueId x = input(g, "x", {n, 8});
  g.outputs = {g.add_node(Op::softmax, "s", {x}, DType::f32, {n, 8}, {{"axis", std::int64_t{1}}})};
  std::vector<PassRecord> records;
  auto f = value_or_throw(lower(value_or_throw(optimize(g, &records)), {}, &records));
  ASSERT_FALSE(records.empty());
  EXPECT_EQ(records.back().name, "fuse");
  EXPECT_TRUE(records.back().changed);
  EXPECT_EQ(count(f, Op::region), 1) << "softmax is one kernel";
}

}  // namespace
}  // namespace jitney::passes
