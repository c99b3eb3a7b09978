// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
// Layout, library calls and their epilogues: graphs before and after, and what the library would be asked.
#include <gtest/gtest.h>

#include <algorithm>

#include "passes/call.h"
#include "passes/lower.h"
#include "passes/regions.h"
#include "passes/rewrite.h"

namespace jitney::passes {
namespace {

using backend::LibraryCall;
using backend::PostOp;
using ir::Dim;
using ir::Graph;
using ir::Op;
using ir::Shape;
using ir::ValueId;

const Dim n = Dim::symbol("n");

struct Net {
  Graph g;
  Net() { g.symbols["n"] = {}; }
  ValueId input(Shape s) {
    g.inputs.push_back(g.add_value("in" + std::to_string(g.inputs.size()), DType::f32, std::move(s)));
    return g.inputs.back();
  }
  ValueId constant(std::vector<std::int64_t> shape) {
    return g.add_constant("c" + std::to_string(g.values.size()), Tensor(DType::f32, std::move(shape)));
  }
  ValueId number(double v) {
    Tensor t(DType::f32, {});
    store_scalar(DType::f32, v, t.data());
    return g.add_constant("s" + std::to_string(g.values.size()), t);
  }
  ValueId op(Op o, std::vector<ValueId> in, const Shape& s, ir::Attributes a = {}) {
    return g.add_node(o, std::string(info(o).name) + std::to_string(g.nodes.size()), std::move(in), DType::f32, s, a);
  }
  /// 3x3, stride 1, "same".
  ValueId conv(ValueId x, std::int64_t o, bool bias = false) {
    Shape s = g.value(x).shape;
    std::vector<ValueId> in{x, constant({o, *s[1].constant(), 3, 3})};
    if (bias) in.push_back(constant({o}));
    s[1] = o;
    return op(Op::conv, in, s,
              {{"strides", std::vector<std::int64_t>{1, 1}},
               {"dilations", std::vector<std::int64_t>{1, 1}},
               {"pads", std::vector<std::int64_t>{1, 1, 1, 1}},
               {"groups", std::int64_t{1}}});
  }
  Graph lowered(bool offers = true) {
    LowerOptions options;
    options.offers = [=](const LibraryCall&) { return offers; };
    return value_or_throw(lower(g, options));
  }
};

std::vector<const ir::Node*> regions(const Graph& g, RegionKind kind) {
  std::vector<const ir::Node*> found;
  for (const auto& node : g.nodes)
    if (node.op == Op::region && node.integer("kind") == static_cast<std::int64_t>(kind)) found.push_back(&node);
  return found;
}

LibraryCall described(const ir::Node& node) {
  auto call = describe_call(node.graph("body"), {}, constant_extent);
  EXPECT_TRUE(call) << node.name;
  return call.value_or(LibraryCall{});
}

std::vector<PostOp::Kind> kinds(const std::vector<PostOp>& post) {
  std::vector<PostOp::Kind> result;
  for (const auto& p : post) result.push_back(p.kind);
  return result;
}

TEST(Layout, OneReorderAtTheEdgeOfAResidualNetwork) {
  Net net;
  ValueId x = net.input({n, 3, 32, 32});
  ValueId a = net.op(Op::relu, {net.conv(x, 16, true)}, {n, 16, 32, 32});
  ValueId b = net.op(Op::relu, {net.conv(a, 16, true)}, {n, 16, 32, 32});
  ValueId c = net.conv(b, 16, true);
  ValueId sum = net.op(Op::relu, {net.op(Op::add, {c, a}, {n, 16, 32, 32})}, {n, 16, 32, 32});
  ValueId mean = net.op(Op::reduce_mean, {sum}, {n, 16, 1, 1},
                        {{"axes", std::vector<std::int64_t>{2, 3}}, {"keepdims", std::int64_t{1}}});
  net.g.outputs = {net.op(Op::reshape, {mean}, {n, 16})};
  Graph g = net.lowered();
  // In front the input's reorder, at the end the mean; nothing is moved in between.
  EXPECT_EQ(regions(g, RegionKind::map).size(), 1u);
  EXPECT_EQ(regions(g, RegionKind::row).size(), 1u);
  auto calls = regions(g, RegionKind::call);
  ASSERT_EQ(calls.size(), 3u);
  const auto last = std::get<backend::ConvolutionCall>(described(*calls[2]));
  EXPECT_TRUE(last.has_bias);
  EXPECT_EQ(kinds(last.epilogue), (std::vector{PostOp::Kind::add_operand, PostOp::Kind::relu}));
  EXPECT_EQ(last.x.shape, (std::vector<std::int64_t>{-1, 32, 32, 16}));
  EXPECT_EQ(last.y.strides, (std::vector<std::int64_t>{32 * 32 * 16, 32 * 16, 16, 1}));
}

TEST(Layout, TheSameWithoutALibrary) {
  Net net;
  ValueId x = net.input({n, 3, 8, 8});
  ValueId a = net.op(Op::relu, {net.conv(x, 4)}, {n, 4, 8, 8});
  net.g.outputs = {net.conv(a, 4)};
  Graph g = net.lowered(false);
  EXPECT_EQ(regions(g, RegionKind::call).size(), 0u);
  EXPECT_EQ(regions(g, RegionKind::contract).size(), 2u);
  EXPECT_EQ(regions(g, RegionKind::map).size(), 1u) << "the output's reorder; the input's is an index in the kernel";
}

TEST(Epilogue, ClipIsOneOperation) {
  Net net;
  ValueId x = net.input({n, 8, 8, 8});
  ValueId low = net.op(Op::max, {net.conv(x, 8), net.number(0)}, {n, 8, 8, 8});
  net.g.outputs = {net.op(Op::min, {low, net.number(6)}, {n, 8, 8, 8})};
  Graph g = net.lowered();
  auto calls = regions(g, RegionKind::call);
  ASSERT_EQ(calls.size(), 1u);
  const auto call = std::get<backend::ConvolutionCall>(described(*calls[0]));
  ASSERT_EQ(kinds(call.epilogue), std::vector{PostOp::Kind::clip});
  EXPECT_EQ(call.epilogue[0].alpha, 0);
  EXPECT_EQ(call.epilogue[0].beta, 6);
}

TEST(Epilogue, AResultThatSomebodyElseReadsIsNotAbsorbed) {
  Net net;
  ValueId x = net.input({n, 8, 8, 8});
  ValueId y = net.conv(x, 8);
  net.g.outputs = {net.op(Op::relu, {y}, {n, 8, 8, 8}), y};
  Graph g = net.lowered();
  auto calls = regions(g, RegionKind::call);
  ASSERT_EQ(calls.size(), 1u);
  EXPECT_TRUE(std::get<backend::ConvolutionCall>(described(*calls[0])).epilogue.empty());
}

TEST(Epilogue, TheCallWaitsForItsOtherOperand) {
  Net net;
  ValueId x = net.input({n, 8, 8, 8});
  ValueId first = net.conv(x, 8), second = net.conv(x, 8);
  net.g.outputs = {net.op(Op::add, {first, net.op(Op::exp, {second}, {n, 8, 8, 8})}, {n, 8, 8, 8})};
  Graph g = net.lowered();  // verified: every value is defined before it is used
  EXPECT_EQ(regions(g, RegionKind::call).size(), 2u);
}

TEST(Calls, RowsOfABatchAreOneMatrix) {
  Net net;
  ValueId x = net.input({n, 7, 16});
  ValueId y = net.op(Op::matmul, {x, net.constant({16, 24})}, {n, 7, 24});
  ValueId b = net.op(Op::add, {y, net.constant({24})}, {n, 7, 24});
  net.g.outputs = {net.op(Op::gelu_erf, {b}, {n, 7, 24})};
  Graph g = net.lowered();
  auto calls = regions(g, RegionKind::call);
  ASSERT_EQ(calls.size(), 1u);
  std::vector<CallOperand> operands = {{{112, 16, 1}, false}, {{24, 1}, true}, {{1}, true}};
  auto call = describe_call(calls[0]->graph("body"), operands, [](const Dim& d) { return d.constant().value_or(5); });
  ASSERT_TRUE(call);
  const auto& m = std::get<backend::MatMulCall>(*call);
  EXPECT_EQ(m.a.shape, (std::vector<std::int64_t>{35, 16}));
  EXPECT_EQ(m.c.shape, (std::vector<std::int64_t>{35, 24}));
  EXPECT_TRUE(m.has_bias && m.constant_b);
  EXPECT_EQ(kinds(m.epilogue), std::vector{PostOp::Kind::gelu_erf});
}

TEST(Calls, RowsThatDoNotGoOnStayABatch) {
  Net net;
  ValueId x = net.input({n, 7, 16});
  net.g.outputs = {net.op(Op::matmul, {x, net.constant({16, 24})}, {n, 7, 24})};
  Graph g = net.lowered();
  std::vector<CallOperand> operands = {{{1000, 16, 1}, false}, {{24, 1}, true}};
  auto call = describe_call(regions(g, RegionKind::call)[0]->graph("body"), operands,
                            [](const Dim& d) { return d.constant().value_or(5); });
  ASSERT_TRUE(call);
  EXPECT_EQ(std::get<backend::MatMulCall>(*call).a.shape, (std::vector<std::int64_t>{5, 7, 16}));
}

TEST(Calls, CeilModeNeedsMorePaddingAndAMeanOverItIsNoCall) {
  for (bool include : {false, true}) {
    Net net;
    ValueId x = net.input({n, 8, 6, 6});
    net.g.outputs = {net.op(Op::avg_pool, {x}, {n, 8, 3, 3},
                            {{"kernel", std::vector<std::int64_t>{3, 3}},
                             {"strides", std::vector<std::int64_t>{2, 2}},
                             {"dilations", std::vector<std::int64_t>{1, 1}},
                             {"pads", std::vector<std::int64_t>{0, 0, 0, 0}},
                             {"include_pad", std::int64_t{include}}})};
    Graph g = net.lowered();
    auto calls = regions(g, RegionKind::call);
    ASSERT_EQ(calls.size(), include ? 0u : 1u);
    if (include) continue;
    EXPECT_EQ(std::get<backend::PoolingCall>(described(*calls[0])).pads_end, (std::vector<std::int64_t>{1, 1}));
  }
}

}  // namespace
}  // namespace jitney::passes
