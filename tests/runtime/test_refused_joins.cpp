// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
// Graphs that the fusion's cost model keeps in several kernels compute what the interpreter does.
#include "runtime/support.h"

namespace jitney {
namespace {

using ir::Dim;
using ir::Graph;
using ir::Op;
using ir::ValueId;

const Dim n = Dim::symbol("n"), m = Dim::symbol("m");

Graph with_inputs(int count, DType dtype) {
  Graph g;
  g.symbols = {{"n", {}}, {"m", {}}};
  for (int i = 0; i < count; ++i) g.inputs.push_back(g.add_value(fmt::format("x{}", i), dtype, {n, m}));
  return g;
}

int check(const Graph& g) {
  std::mt19937 rng(5);
  ExecutionContext context(testing::engine_of(g), testing::options());
  for (std::vector<std::int64_t> shape : {std::vector<std::int64_t>{3, 37}, {1, 1}, {2, 64}, {4, 0}}) {
    std::vector<Tensor> inputs;
    for (ValueId in : g.inputs) inputs.push_back(testing::random_tensor(g.value(in).dtype, shape, rng));
    testing::expect_agrees(g, inputs, context);
  }
  return context.stats().kernels;
}

TEST(RefusedJoins, SoftmaxInDoubleKeepsItsExponentials) {
  Graph g = with_inputs(1, DType::f64);
  g.outputs = {g.add_node(Op::softmax, "soft", {g.inputs[0]}, DType::f64, {n, m}, {{"axis", std::int64_t{1}}})};
  EXPECT_EQ(check(g), 2) << "a call of libm for each element is dearer than writing and reading its result";
  Graph single = with_inputs(1, DType::f32);
  single.outputs = {
      single.add_node(Op::softmax, "soft", {single.inputs[0]}, DType::f32, {n, m}, {{"axis", std::int64_t{1}}})};
  EXPECT_EQ(check(single), 1);
}

TEST(RefusedJoins, ManyOutputs) {
  Graph g = with_inputs(2, DType::f32);
  const ValueId sum = g.add_node(Op::add, "sum", g.inputs, DType::f32, {n, m});
  for (int i = 0; i < 40; ++i)
    g.outputs.push_back(g.add_node(i % 3 ? Op::max : Op::sub, fmt::format("y{}", i),
                                   {i ? g.outputs.back() : sum, g.inputs[static_cast<std::size_t>(i % 2)]}, DType::f32,
                                   {n, m}));
  EXPECT_EQ(check(g), 2);
}

TEST(RefusedJoins, AnExpensiveValueBetweenTwoReductions) {
  Graph g = with_inputs(2, DType::f32);
  auto reduce = [&](Op op, ValueId x, const char* name) {
    return g.add_node(op, name, {x}, DType::f32, {n, Dim(1)},
                      {{"axes", std::vector<std::int64_t>{1}}, {"keepdims", std::int64_t{1}}});
  };
  const ValueId base = g.add_node(Op::abs, "base", {g.inputs[0]}, DType::f32, {n, m});
  const ValueId t = g.add_node(Op::atan, "t", {base}, DType::f32, {n, m});
  const ValueId centred = g.add_node(Op::sub, "centred", {t, reduce(Op::reduce_max, t, "top")}, DType::f32, {n, m});
  const ValueId c = g.add_node(Op::sinh, "c", {centred}, DType::f32, {n, m});
  const ValueId total = reduce(Op::reduce_sum, c, "total");
  g.outputs = {g.add_node(Op::mul, "y", {c, total}, DType::f32, {n, m}), total};
  EXPECT_GE(check(g), 3);
}

}  // namespace
}  // namespace jitney
