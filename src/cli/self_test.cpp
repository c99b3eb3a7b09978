// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "cli/self_test.h"

#include <fmt/format.h>
#include <jitney/device_tensor.h>
#include <jitney/execution_context.h>

#include <chrono>
#include <exception>
#include <memory>

#include "engine/engine_impl.h"
#include "runtime/target.h"

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

SelfTest run(Device device, const char* where) {
  const auto start = std::chrono::steady_clock::now();
  ExecutionContext context(doubling_engine(), {.device = device, .threads = 1, .runtime_cache = "none"});
  Tensor x(DType::f32, {kExtent});
  for (std::int64_t i = 0; i < kExtent; ++i) x.as<float>()[i] = static_cast<float>(i);
  const DeviceTensor there(x, device), result(DType::f32, {kExtent}, device);
  const TensorView input = there.view(), output = result.view();
  context.execute({&input, 1}, {&output, 1});
  const Tensor y = result.download();
  for (std::int64_t i = 0; i < kExtent; ++i) {
    if (y.as<float>()[i] != static_cast<float>(2 * i))
      return {false, fmt::format("a kernel ran on {} and gave {} instead of {}", where, y.as<float>()[i], 2 * i)};
  }
  const ContextStats stats = context.stats();
  if (stats.compiled == 0) {
    return {false, "no kernel could be compiled; models run in the reference interpreter, rightly but slowly"};
  }
  const double ms = std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
  return {true, fmt::format("a kernel was compiled and ran rightly on {}, in {:.0f} ms", where, ms)};
}

}  // namespace

SelfTest test_devices() {
  SelfTest all{true, ""};
  std::string missing;
  for (const auto& [device, where] :
       {std::pair{Device{Device::Type::cpu, 0}, "the CPU"}, std::pair{Device{Device::Type::cuda, 0}, "cuda:0"}}) {
    SelfTest test;
    try {
      if (const auto target = runtime::open_target(device); !target) {
        if (missing.empty()) missing = target.error().message;
        continue;
      }
      test = run(device, where);
    } catch (const std::exception& error) {
      test.message = error.what();
    }
    all.works = all.works && test.works;
    all.message += (all.message.empty() ? "" : "; ") + test.message;
  }
  if (all.message.empty()) return {false, missing};
  return all;
}

}  // namespace jitney::cli
