// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
// What a region costs, and which joins the grouping refuses for it.
#include <gtest/gtest.h>

#include "passes/fusion_cost.h"
#include "passes/regions.h"

namespace jitney::passes {
namespace {

using ir::Dim;
using ir::Graph;
using ir::Op;
using ir::Shape;
using ir::ValueId;

const Dim n = Dim::symbol("n");

struct Net {
  Graph g;
  Shape full{n, 8}, row{n, 1};

  ValueId input(const std::string& name) {
    g.symbols["n"] = {};
    g.inputs.push_back(g.add_value(name, DType::f32, full));
    return g.inputs.back();
  }
  ValueId op(Op op, std::vector<ValueId> in) { return shaped(op, std::move(in), full); }
  ValueId shaped(Op op, std::vector<ValueId> in, const Shape& shape) {
    return g.add_node(op, fmt::format("node{}", g.nodes.size()), std::move(in), DType::f32, shape);
  }
  ValueId reduce(Op op, ValueId x) {
    return g.add_node(op, fmt::format("node{}", g.nodes.size()), {x}, DType::f32, row,
                      {{"axes", std::vector<std::int64_t>{1}}, {"keepdims", std::int64_t{1}}});
  }
  RegionCost cost(RegionKind kind, const std::vector<int>& nodes) {
    const std::vector<int> undecided(g.nodes.size(), -1);
    return FusionCost(g)(
        {kind, full, kind == RegionKind::row ? std::vector<std::int64_t>{1} : std::vector<std::int64_t>{}, nodes},
        undecided);
  }
  std::size_t regions() { return group(g).regions.size(); }
};

TEST(FusionCost, AMapReadsAndWritesOnceAndComputesOnce) {
  Net net;
  ValueId x = net.input("x"), y = net.input("y");
  net.g.outputs = {net.op(Op::exp, {net.op(Op::add, {x, y})})};
  const RegionCost c = net.cost(RegionKind::map, {0, 1});
  EXPECT_EQ(c.bytes, 12);
  EXPECT_EQ(c.operations, 1 + operation_cost(Op::exp, DType::f32));
  EXPECT_EQ(c.recomputed, 0);
  EXPECT_EQ(c.live, 3) << "both operands and the sum";
}

TEST(FusionCost, EachFurtherPassComputesAgain) {
  // softmax without its maximum: exp is needed to sum, and again to divide.
  Net net;
  ValueId e = net.op(Op::exp, {net.input("x")});
  ValueId sum = net.reduce(Op::reduce_sum, e);
  net.g.outputs = {net.op(Op::mul, {e, sum})};
  const RegionCost c = net.cost(RegionKind::row, {0, 1, 2});
  EXPECT_EQ(c.bytes, 8);
  EXPECT_EQ(c.recomputed, operation_cost(Op::exp, DType::f32));
  EXPECT_EQ(net.regions(), 1u) << "cheaper than writing and reading it";
}

TEST(FusionCost, AnExpensiveProducerIsComputedOnceAndKept) {
  Net net;
  ValueId p = net.op(Op::pow, {net.input("x"), net.input("y")});
  ValueId sum = net.reduce(Op::reduce_sum, p);
  net.g.outputs = {net.op(Op::mul, {p, sum})};
  const RegionCost joined = net.cost(RegionKind::row, {0, 1}), map = net.cost(RegionKind::map, {0}),
                   row = net.cost(RegionKind::row, {1});
  EXPECT_EQ(judge_join(map, row, joined), Refusal::recomputation);
  const Grouping grouping = group(net.g);
  ASSERT_EQ(grouping.regions.size(), 2u);
  EXPECT_NE(grouping.region_of[0], grouping.region_of[1]);
  EXPECT_EQ(grouping.region_of[1], grouping.region_of[2]);
}

TEST(FusionCost, AnExpensiveProducerThatOnePassNeedsIsFused) {
  Net net;
  net.g.outputs = {net.reduce(Op::reduce_sum, net.op(Op::pow, {net.input("x"), net.input("y")}))};
  EXPECT_EQ(net.regions(), 1u);
}

TEST(FusionCost, ASmallValueIsNotComputedForEachElementItIsBroadcastTo) {
  Net net;
  net.g.symbols["n"] = {};
  ValueId column = net.g.add_value("column", DType::f32, net.row);
  net.g.inputs.push_back(column);
  ValueId t = net.shaped(Op::tan, {column}, net.row);
  net.g.outputs = {net.op(Op::add, {net.input("x"), t})};
  const RegionCost joined = net.cost(RegionKind::map, {0, 1});
  EXPECT_EQ(joined.recomputed, operation_cost(Op::tan, DType::f32));
  EXPECT_EQ(judge_join({}, net.cost(RegionKind::map, {1}), joined), Refusal::recomputation);
  EXPECT_EQ(net.regions(), 2u);
}

/// `count` values of one input, all of them outputs.
std::size_t regions_of_outputs(int count, int* live = nullptr) {
  Net net;
  ValueId x = net.op(Op::neg, {net.input("x")});
  std::vector<int> nodes{0};
  for (int i = 0; i < count; ++i) {
    net.g.outputs.push_back(net.op(i % 2 ? Op::abs : Op::relu, {x}));
    nodes.push_back(i + 1);
  }
  if (live) *live = net.cost(RegionKind::map, nodes).live;
  return net.regions();
}

TEST(FusionCost, MoreValuesThanRegistersAreTwoKernels) {
  int live = 0;
  EXPECT_EQ(regions_of_outputs(kMostLiveValues - 1, &live), 1u);
  EXPECT_LE(live, kMostLiveValues);
  EXPECT_EQ(regions_of_outputs(kMostLiveValues + 6, &live), 2u) << "those that do not fit share the next kernel";
  EXPECT_GT(live, kMostLiveValues);
}

TEST(FusionCost, ALongChainHoldsFewValues) {
  Net net;
  ValueId v = net.input("x"), y = net.input("y");
  std::vector<int> nodes;
  for (int i = 0; i < 60; ++i) {
    v = net.op(Op::add, {v, y});
    nodes.push_back(i);
  }
  net.g.outputs = {v};
  EXPECT_EQ(net.cost(RegionKind::map, nodes).live, 3);
  EXPECT_EQ(net.regions(), 1u);
}

/// Bytes that the regions of a grouping move, for each element.
double bytes_moved(const Graph& g) {
  const Grouping grouping = group(g);
  double bytes = 0;
  for (const Region& r : grouping.regions) bytes += FusionCost(g)(r, grouping.region_of).bytes;
  return bytes;
}

TEST(Siblings, TwoHeadsOverOneTensorReadItOnce) {
  Net net;
  ValueId x = net.input("x");
  net.g.outputs = {net.op(Op::exp, {x}), net.op(Op::tanh, {x})};
  EXPECT_EQ(net.regions(), 1U);
  EXPECT_EQ(bytes_moved(net.g), 12) << "one read and two writes; apart they move 16";
}

TEST(Siblings, MeanAndMaximumOfTheSameRows) {
  Net net;
  ValueId x = net.input("x");
  net.g.outputs = {net.reduce(Op::reduce_mean, x), net.reduce(Op::reduce_max, x)};
  EXPECT_EQ(net.regions(), 1U);
  EXPECT_EQ(bytes_moved(net.g), 4) << "apart they move 8";
}

TEST(Siblings, AMapJoinsTheReductionOfItsInput) {
  Net net;
  ValueId x = net.input("x");
  net.g.outputs = {net.reduce(Op::reduce_sum, x), net.op(Op::neg, {x})};
  EXPECT_EQ(net.regions(), 1U);
}

TEST(Siblings, WhatWaitsForTheOtherStaysApart) {
  // The second reader of x needs the first, at other places than its own.
  Net net;
  ValueId x = net.input("x");
  ValueId turned = net.g.add_node(Op::slice, "turned", {net.op(Op::exp, {x})}, DType::f32, net.full,
                                  {{"starts", Shape{0, 7}}, {"steps", Shape{1, -1}}});
  net.g.outputs = {net.op(Op::add, {x, turned})};
  EXPECT_EQ(net.regions(), 2U);
}

TEST(Siblings, ReductionsOverOtherAxesStayApart) {
  Net net;
  ValueId x = net.input("x");
  ValueId columns = net.g.add_node(Op::reduce_sum, "columns", {x}, DType::f32, {1, 8},
                                   {{"axes", std::vector<std::int64_t>{0}}, {"keepdims", std::int64_t{1}}});
  net.g.outputs = {net.reduce(Op::reduce_max, x), columns};
  EXPECT_EQ(net.regions(), 2U);
}

}  // namespace
}  // namespace jitney::passes
