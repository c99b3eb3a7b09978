// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "cli/self_test.h"

#include <fmt/format.h>
#include <jitney/execution_context.h>

#include <chrono>
#include <exception>
#include <memory>

#include "engine/engine_impl.h"

namespace jitney::cli {
namespace {

constexpr std::int64_t kExtent = 1000;

Engine doubling_engine() {
  ir::Graph graph;
  graph.name = "self_test";
  const ir::Shape shape = {ir::Dim::symbol("n")};
  const ir::ValueId x = graph.add_value("x", DType::f32, shape);
  graph.inputs = {x};
  graph.outputs = {graph.add_node(ir::Op::add, "y", {x, x}, DType::f32, shape)};
  graph.symbols["n"] = {};
  return Engine(std::make_shared<const EngineImpl>(std::move(graph)));
}

SelfTest run() {
  const auto start = std::chrono::steady_clock::now();
  ExecutionContext context(doubling_engine(), {.threads = 1, .runtime_cache = "none"});
  Tensor x(DType::f32, {kExtent});
  for (std::int64_t i = 0; i < kExtent; ++i) x.as<float>()[i] = static_cast<float>(i);
  const TensorView input = x.view();
  const std::vector<Tensor> outputs = context.execute({&input, 1});
  for (std::int64_t i = 0; i < kExtent; ++i) {
    if (outputs[0].as<float>()[i] != static_cast<float>(2 * i)) {
      return {false,
              fmt::format("a kernel ran on the CPU and gave {} instead of {}", outputs[0].as<float>()[i], 2 * i)};
    }
  }
  const ContextStats stats = context.stats();
  if (stats.compiled == 0) {
    return {false, "no kernel could be compiled; models run in the reference interpreter, rightly but slowly"};
  }
  const double ms = std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
  return {true, fmt::format("a kernel was compiled and ran rightly on the CPU, in {:.0f} ms", ms)};
}

}  // namespace

SelfTest test_cpu() {
  try {
    return run();
  } catch (const std::exception& error) {
    return {false, error.what()};
  }
}

}  // namespace jitney::cli
