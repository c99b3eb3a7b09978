// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
// Outputs over inputs: what may be written in place is, and whatever lies where, results are those of memory apart.
#include "runtime/in_place.h"

#include <algorithm>
#include <cstring>

#include "runtime/plan.h"
#include "runtime/random_graph.h"
#include "runtime/support.h"
#include "runtime/target.h"

namespace jitney {
namespace {

using ir::Dim;
using ir::Graph;
using ir::Op;
using ir::ValueId;
using Overlap = runtime::InPlaceRules::Overlap;

/// state [n, 6]
struct State {
  Graph g;
  Dim n = Dim::symbol("n");
  ir::Shape shape{Dim::symbol("n"), 6};
  ValueId state;
  State() {
    g.symbols["n"] = {};
    state = input("state", shape);
  }
  ValueId input(const char* name, const ir::Shape& s, DType dtype = DType::f32) {
    g.inputs.push_back(g.add_value(name, dtype, s));
    return g.inputs.back();
  }
  ValueId node(Op op, const char* name, std::vector<ValueId> in, ir::Attributes attributes = {}) {
    return g.add_node(op, name, std::move(in), DType::f32, shape, std::move(attributes));
  }
};

runtime::InPlaceRules rules_of(const Graph& g, std::vector<std::vector<std::int64_t>> shapes) {
  const auto target = value_or_throw(runtime::open_target(testing::device()));
  const auto program =
      value_or_throw(runtime::make_program(*testing::engine_of(g).impl(), *target.backend, target.device, target.info));
  const auto plan = value_or_throw(runtime::make_plan(*program, std::move(shapes), target.info.alignment));
  return {*program, *plan};
}

/// Runs with the first output where the first input lies, `shift` bytes further, and compares with memory apart.
void expect_same_in_place(const Graph& g, const std::vector<Tensor>& inputs, std::size_t shift = 0) {
  if (testing::device().type != Device::Type::cpu) GTEST_SKIP() << "reads the memory on the host";
  ExecutionContext context(testing::engine_of(g), testing::options());
  const auto want = context.execute(testing::views(inputs));
  Tensor memory(DType::u8, {static_cast<std::int64_t>(want[0].num_bytes() + inputs[0].num_bytes() + shift)});
  for (int round = 0; round < 2; ++round) {  // the second one with a plan that has run
    std::memcpy(memory.data(), inputs[0].data(), inputs[0].num_bytes());
    auto in = testing::views(inputs);
    in[0].data = memory.data();
    std::vector<Tensor> others;
    std::vector<TensorView> out;
    for (const Tensor& t : want) out.push_back(others.emplace_back(t.dtype(), t.shape()).view());
    out[0].data = static_cast<char*>(memory.data()) + shift;
    context.execute(in, out);
    EXPECT_EQ(std::memcmp(out[0].data, want[0].data(), want[0].num_bytes()), 0) << context.inspect();
    for (std::size_t i = 1; i < want.size(); ++i)
      EXPECT_EQ(std::memcmp(others[i].data(), want[i].data(), want[i].num_bytes()), 0) << "output " << i;
  }
}

std::vector<Tensor> random_of(const Graph& g, std::int64_t n) {
  std::mt19937 rng(7);
  std::vector<Tensor> inputs;
  for (const ValueId i : g.inputs)
    inputs.push_back(
        testing::random_tensor(g.value(i).dtype, value_or_throw(ir::evaluate(g.value(i).shape, {{"n", n}})), rng));
  return inputs;
}

TEST(InPlace, ASumIsWrittenWhereItsOperandLies) {
  State s;
  s.g.outputs = {s.node(Op::add, "next", {s.state, s.input("x", {6})})};
  EXPECT_EQ(rules_of(s.g, {{3, 6}, {6}}).of(0, 0), Overlap::exactly);
  EXPECT_EQ(rules_of(s.g, {{3, 6}, {6}}).of(0, 1), Overlap::never) << "a row that every other row reads, too";
  EXPECT_EQ(rules_of(s.g, {{1, 6}, {6}}).of(0, 1), Overlap::exactly) << "of one row, there is no other";
  for (const std::size_t shift : {0U, 4U, 20U}) expect_same_in_place(s.g, random_of(s.g, 37), shift);
}

TEST(InPlace, OutputsThatShareMemoryAreRefused) {
  State s;
  const auto x = s.input("x", s.shape);
  s.g.outputs = {s.node(Op::add, "sum", {s.state, x}), s.node(Op::sub, "difference", {s.state, x})};
  const auto inputs = random_of(s.g, 6);
  ExecutionContext context(testing::engine_of(s.g), {.runtime_cache = "none"});
  std::vector<TensorView> in;
  for (const Tensor& t : inputs) in.push_back(t.view());
  Tensor room(DType::f32, {3 * 6 * 6});
  const std::size_t bytes = inputs[0].num_bytes();
  ASSERT_LE(2 * bytes, room.num_bytes());
  TensorView sum{room.data(), DType::f32, inputs[0].shape()}, difference = sum;
  for (const std::size_t apart : {std::size_t{0}, std::size_t{4}, bytes - 4, bytes}) {
    difference.data = static_cast<char*>(room.data()) + apart;
    for (const bool swapped : {false, true}) {
      const std::vector<TensorView> out = swapped ? std::vector{difference, sum} : std::vector{sum, difference};
      if (apart == bytes) {
        EXPECT_NO_THROW(context.execute(in, out)) << "side by side";
        continue;
      }
      try {
        context.execute(in, out);
        ADD_FAILURE() << apart << " bytes apart";
      } catch (const Error& e) {
        EXPECT_NE(std::string(e.what()).find("must lie apart, and share memory"), std::string::npos) << e.what();
      }
    }
  }
}

TEST(InPlace, WhatReadsOtherElementsIsCopied) {
  State s;
  s.shape = {6, 6};
  s.g.value(s.state).shape = s.shape;
  const auto t =
      s.g.add_node(Op::permute, "t", {s.state}, DType::f32, s.shape, {{"perm", std::vector<std::int64_t>{1, 0}}});
  s.g.outputs = {s.node(Op::add, "next", {s.state, t})};
  s.g.symbols.clear();
  EXPECT_EQ(rules_of(s.g, {{6, 6}}).of(0, 0), Overlap::never);
  expect_same_in_place(s.g, random_of(s.g, 6));
}

TEST(InPlace, WhatIsReadNoMoreMayLieAnywhere) {
  State s;
  const auto best = s.g.add_node(Op::reduce_max, "best", {s.state}, DType::f32, {s.n, 1},
                                 {{"axes", std::vector<std::int64_t>{1}}, {"keepdims", std::int64_t{1}}});
  const auto order = s.g.add_node(Op::reduce_sum, "all", {best}, DType::f32, {1, 1},
                                  {{"axes", std::vector<std::int64_t>{0}}, {"keepdims", std::int64_t{1}}});
  s.g.outputs = {s.node(Op::add, "next", {order, s.input("x", s.shape)})};
  EXPECT_EQ(rules_of(s.g, {{3, 6}, {3, 6}}).of(0, 0), Overlap::anyhow);
  for (const std::size_t shift : {0U, 4U, 36U}) expect_same_in_place(s.g, random_of(s.g, 9), shift);
}

TEST(InPlace, AnInputThatIsReadLaterIsNotOverwritten) {
  State s;
  const auto next = s.node(Op::relu, "next", {s.state});
  const auto best = s.g.add_node(Op::reduce_max, "best", {next}, DType::f32, {1, 1},
                                 {{"axes", std::vector<std::int64_t>{0, 1}}, {"keepdims", std::int64_t{1}}});
  s.g.outputs = {next, s.node(Op::add, "late", {s.state, best})};
  EXPECT_EQ(rules_of(s.g, {{3, 6}}).of(0, 0), Overlap::never);
  expect_same_in_place(s.g, random_of(s.g, 5));
}

/// A cache of keys: rows of `state` are replaced.
Graph key_value_cache(Op op, std::int64_t rows) {
  State s;
  const auto where = s.input("where", op == Op::scatter_nd ? ir::Shape{rows, 1} : ir::Shape{rows, 6}, DType::i64);
  const auto fresh = s.input("fresh", {rows, 6});
  ir::Attributes attributes;
  if (op == Op::scatter_elements) attributes["axis"] = std::int64_t{0};
  attributes["mode"] = std::string("none");
  const auto next = s.node(op, "next", {s.state, where, fresh}, attributes);
  const auto read = s.g.add_node(Op::reduce_sum, "read", {next}, DType::f32, {s.n},
                                 {{"axes", std::vector<std::int64_t>{1}}, {"keepdims", std::int64_t{0}}});
  s.g.outputs = {next, read};
  return s.g;
}

TEST(InPlace, AScatterUpdatesTheCallersRows) {
  for (const Op op : {Op::scatter_nd, Op::scatter_elements}) {
    const Graph g = key_value_cache(op, 3);
    const auto inputs = random_of(g, 11);
    auto* where = const_cast<Tensor&>(inputs[1]).as<std::int64_t>();
    const auto count = inputs[1].num_elements() / 3;
    for (std::int64_t i = 0; i < 3 * count; ++i)
      where[i] = std::vector<std::int64_t>{2, -1, 2}[static_cast<std::size_t>(i / count)];
    EXPECT_EQ(rules_of(g, {{11, 6}, inputs[1].shape(), {3, 6}}).of(0, 0), Overlap::exactly);
    EXPECT_EQ(rules_of(g, {{3, 6}, inputs[1].shape(), {3, 6}}).of(0, 2), Overlap::never)
        << "updates are read all along";
    expect_same_in_place(g, inputs);
  }
}

/// Random graphs, each output over each input of the same size.
TEST(InPlace, RandomGraphsDoNotTellTheDifference) {
  if (testing::device().type != Device::Type::cpu) GTEST_SKIP() << "reads the memory on the host";
  int overlaps = 0, in_place = 0;
  for (unsigned seed = 0; seed < 16; ++seed) {
    std::mt19937 rng(seed);
    auto random = testing::grow_random_graph(seed, 4 + static_cast<int>(seed) % 9);
    Graph& g = random.graph;
    for (const auto& node : g.nodes)  // more of what has an input's size
      if (g.value(node.outputs[0]).shape == g.value(g.inputs[0]).shape &&
          std::ranges::find(g.outputs, node.outputs[0]) == g.outputs.end())
        g.outputs.push_back(node.outputs[0]);
    const auto inputs = testing::random_inputs(random, {{"n", 3}, {"m", 17}}, testing::Specials::none, rng);
    ExecutionContext context(testing::engine_of(g), testing::options());
    const auto want = context.execute(testing::views(inputs));
    std::vector<std::vector<std::int64_t>> shapes;
    for (const Tensor& t : inputs) shapes.push_back(t.shape());
    const auto rules = rules_of(g, shapes);
    for (std::size_t o = 0; o < want.size(); ++o)
      for (std::size_t i = 0; i < inputs.size(); ++i) {
        if (want[o].num_bytes() != inputs[i].num_bytes() || want[o].num_bytes() == 0) continue;
        ++overlaps;
        in_place += rules.of(o, i) != Overlap::never;
        Tensor memory(inputs[i].dtype(), inputs[i].shape());
        std::memcpy(memory.data(), inputs[i].data(), inputs[i].num_bytes());
        auto in = testing::views(inputs);
        in[i].data = memory.data();
        std::vector<Tensor> results;
        std::vector<TensorView> out;
        for (const Tensor& t : want) out.push_back(results.emplace_back(t.dtype(), t.shape()).view());
        out[o].data = memory.data();
        context.execute(in, out);
        for (std::size_t k = 0; k < want.size(); ++k)
          ASSERT_EQ(std::memcmp(out[k].data, want[k].data(), want[k].num_bytes()), 0)
              << "seed " << seed << ", output " << o << " over input " << i << ": output " << k << " differs\n"
              << print(g) << context.inspect();
      }
  }
  EXPECT_GT(overlaps, 30);
  EXPECT_GT(in_place, 5);
}

}  // namespace
}  // namespace jitney
