// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
// Outputs that lie over inputs.
#include <jitney/execution_context.h>

#include <cstring>

#include "support.h"

namespace jitney {
namespace {

using ir::Dim;
using ir::Op;
using testing::views;

/// state' = (state + step)^T, next = step * state: both read what the other writes.
Engine updating() {
  ir::Graph g;
  g.symbols["n"] = {};
  const std::vector<Dim> shape{Dim::symbol("n"), Dim::symbol("n")};
  for (const char* name : {"state", "step"}) g.inputs.push_back(g.add_value(name, DType::f32, shape));
  const auto sum = g.add_node(Op::add, "sum", {g.inputs[0], g.inputs[1]}, DType::f32, shape);
  g.outputs.push_back(
      g.add_node(Op::permute, "turned", {sum}, DType::f32, shape, {{"perm", std::vector<std::int64_t>{1, 0}}}));
  g.outputs.push_back(g.add_node(Op::mul, "next", {g.inputs[0], g.inputs[1]}, DType::f32, shape));
  return testing::engine_of(g);
}

class Overlap : public ::testing::TestWithParam<CudaGraphStrategy> {};

TEST_P(Overlap, AStateIsUpdatedInPlace) {
  ExecutionContext context(updating(), {.runtime_cache = "none", .cuda_graph_strategy = GetParam()});
  std::mt19937 rng(1);
  for (const std::int64_t n : {0, 1, 7, 64}) {
    std::vector<Tensor> held;
    for (int i = 0; i < 2; ++i) held.push_back(testing::random_tensor(DType::f32, {n, n}, rng));
    for (int run = 0; run < 3; ++run) {
      const std::vector<Tensor> want = context.execute(views(held));
      // Each output over the other's input, then over its own.
      const bool is_crossed = run == 1;
      const std::vector<TensorView> to{held[is_crossed ? 1 : 0].view(), held[is_crossed ? 0 : 1].view()};
      context.execute(views(held), to);
      EXPECT_TRUE(testing::close(held[is_crossed ? 1 : 0], want[0], 0)) << n;
      EXPECT_TRUE(testing::close(held[is_crossed ? 0 : 1], want[1], 0)) << n;
    }
  }
}

TEST_P(Overlap, APartIsEnough) {
  ExecutionContext context(updating(), {.runtime_cache = "none", .cuda_graph_strategy = GetParam()});
  std::mt19937 rng(2);
  const Tensor memory = testing::random_tensor(DType::f32, {200}, rng);
  const std::vector<std::int64_t> shape{10, 10};
  const auto part = [&](std::size_t at) {
    return TensorView{const_cast<float*>(memory.as<float>()) + at, DType::f32, shape, {}, {}};
  };
  std::vector<Tensor> copies;
  for (const std::size_t at : {0U, 100U}) {
    copies.emplace_back(DType::f32, shape);
    std::memcpy(copies.back().data(), part(at).data, 400);
  }
  const std::vector<Tensor> want = context.execute(views(copies));
  Tensor other(DType::f32, shape);
  const std::vector<TensorView> in{part(0), part(100)}, out{part(50), other.view()};
  context.execute(in, out);
  Tensor got(DType::f32, shape);
  std::memcpy(got.data(), part(50).data, 400);
  EXPECT_TRUE(testing::close(got, want[0], 0));
  EXPECT_TRUE(testing::close(other, want[1], 0));
}

INSTANTIATE_TEST_SUITE_P(Strategies, Overlap,
                         ::testing::Values(CudaGraphStrategy::disabled, CudaGraphStrategy::whole_graph_capture));

}  // namespace
}  // namespace jitney
