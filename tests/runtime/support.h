// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include <jitney/jitney.h>

#include "engine/engine_impl.h"
#include "ir/graph.h"
#include "passes/lower.h"
#include "passes/rewrite.h"

namespace jitney::testing {

/// An engine of a graph built by hand, optimized as a front end's graph is.
inline Engine engine_of(const ir::Graph& graph) {
  return Engine(std::make_shared<EngineImpl>(value_or_throw(passes::optimize(graph))));
}

inline std::vector<TensorView> views(const std::vector<Tensor>& tensors) {
  std::vector<TensorView> v;
  for (const auto& t : tensors) v.push_back(t.view());
  return v;
}

/// Where kernels are tested: JITNEY_TEST_DEVICE=cuda:0 runs them on a GPU instead of the CPU.
inline Device device() {
  const char* asked = std::getenv("JITNEY_TEST_DEVICE");
  return asked && std::string_view(asked).starts_with("cuda") ? Device{Device::Type::cuda, 0} : Device{};
}

inline ContextOptions options() { return {.device = device(), .runtime_cache = "none"}; }

/// Host tensors in and out, on whatever device the context is.
inline std::vector<Tensor> execute(ExecutionContext& context, const std::vector<Tensor>& inputs) {
  if (device().type == Device::Type::cpu) return context.execute(views(inputs));
  std::vector<DeviceTensor> in, out;
  std::vector<TensorView> in_views, out_views;
  for (const Tensor& t : inputs) in.emplace_back(t, device());
  for (const auto& t : in) in_views.push_back(t.view());
  const auto shapes = context.output_shapes(in_views);
  const auto infos = context.engine().outputs();
  for (std::size_t i = 0; i < shapes.size(); ++i) out.emplace_back(infos[i].dtype, shapes[i], device());
  for (const auto& t : out) out_views.push_back(t.view());
  context.execute(in_views, out_views);
  std::vector<Tensor> results;
  for (const auto& t : out) results.push_back(t.download());
  return results;
}

/// Seeded values: floats around 0 with now and then something special, small integers, booleans.
inline Tensor random_tensor(DType dtype, std::vector<std::int64_t> shape, std::mt19937& rng, bool special = false) {
  Tensor t(dtype, std::move(shape));
  std::normal_distribution<double> normal(0, 1);
  std::uniform_int_distribution<int> small(-5, 9), one_in(0, 40);
  for (std::int64_t i = 0; i < t.num_elements(); ++i) {
    double v = is_floating(dtype)           ? normal(rng)
               : dtype == DType::boolean    ? small(rng) > 1
               : is_unsigned_integer(dtype) ? std::abs(small(rng))
                                            : small(rng);
    if (special && is_floating(dtype)) switch (one_in(rng)) {
        case 0: v = std::nan(""); break;
        case 1: v = INFINITY; break;
        case 2: v = -INFINITY; break;
        case 3: v = -0.0; break;
        case 4: v = 0; break;
        default: break;
      }
    passes::store_scalar(dtype, v, static_cast<char*>(t.data()) + i * static_cast<std::int64_t>(size_of(dtype)));
  }
  return t;
}

/// Element by element: equal for integers; for floats within rtol of the larger of the value and `scale`, NaN equal to
/// NaN and infinities to themselves. `most` is allowed everywhere.
inline ::testing::AssertionResult close(const Tensor& got, const Tensor& want, double rtol, double scale = 1,
                                        double most = 0) {
  if (got.dtype() != want.dtype() || got.shape() != want.shape())
    return ::testing::AssertionFailure() << "type or shape differs";
  for (std::int64_t i = 0; i < got.num_elements(); ++i) {
    auto at = [&](const Tensor& t) {
      return passes::load_scalar(
          t.dtype(), static_cast<const char*>(t.data()) + i * static_cast<std::int64_t>(size_of(t.dtype())));
    };
    double a = at(got), b = at(want);
    if (std::isnan(a) && std::isnan(b)) continue;
    if (a == b) continue;
    if (!is_floating(got.dtype()) || !(std::abs(a - b) <= most + rtol * std::max(std::abs(b), scale)))
      return ::testing::AssertionFailure() << "element " << i << ": got " << a << ", want " << b;
  }
  return ::testing::AssertionSuccess();
}

inline double tolerance(DType t) {
  return t == DType::f16 ? 4e-3 : t == DType::bf16 ? 3e-2 : t == DType::f64 ? 1e-9 : 2e-5;
}

/// Runs a graph through compiled kernels and through the interpreter and compares. Nothing may be interpreted unless
/// `interpreted` says so.
inline void expect_agrees(const ir::Graph& graph, const std::vector<Tensor>& inputs, ExecutionContext& context,
                          int interpreted = 0) {
  auto want = value_or_throw(ir::interpret(graph, inputs));
  auto got = execute(context, inputs);
  ASSERT_EQ(got.size(), want.size());
  for (std::size_t i = 0; i < got.size(); ++i)
    EXPECT_TRUE(close(got[i], want[i], tolerance(want[i].dtype()))) << "output " << i << "\n"
                                                                    << print(graph) << context.inspect();
  EXPECT_EQ(context.stats().interpreted, interpreted) << context.inspect();
}

}  // namespace jitney::testing
