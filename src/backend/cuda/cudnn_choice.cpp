// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "backend/cuda/cudnn_choice.h"

#include <algorithm>
#include <exception>
#include <optional>

#include "util/log.h"

namespace jitney::backend::cuda {
namespace {

namespace fe = cudnn_frontend;
using Graph = fe::graph::Graph;

/// Plans that are built and timed: each takes tens of milliseconds to build.
constexpr std::size_t kMostTimed = 8;

Expected<std::unique_ptr<Graph>> empty_plan(const CudnnCall& call, cudnnHandle_t handle) {
  auto graph = std::make_unique<Graph>();
  JITNEY_CHECK(call.describe(*graph));
  JITNEY_CHECK(check(graph->validate(), "cuDNN's check of a call"));
  JITNEY_CHECK(check(graph->build_operation_graph(handle), "cuDNN's graph of a call"));
  return graph;
}

/// cuDNN loads a plan's kernels when it first runs, which takes up to tens of milliseconds each: here several plans are
/// made at once, while a model's first run would load one after another. Recorded into a graph that nobody runs, so
/// that no operands are needed. False where that fails.
bool loads_kernels(const CudnnCall& call, Graph& graph, std::int64_t number, const Tuning& tuning) {
  Backend& backend = *tuning.backend;
  const int device = tuning.device;
  auto stream = backend.create_stream(device, {});
  if (!stream) return false;
  constexpr std::size_t kBytes = 4096;  // for an address that is one of the device, and aligned
  Status loaded = environment_error("nothing can be recorded");
  auto memory = backend.allocate(device, kBytes, 0);
  if (memory && backend.begin_capture(device, *stream)) {
    const std::vector<char*> areas(call.operand_bytes.size(), static_cast<char*>(*memory));
    loaded = call.run(graph, number, areas, *memory, *stream);
    const auto recorded = backend.end_capture(device, *stream);
    if (recorded)
      backend.destroy_graph(device, *recorded);
    else if (loaded)
      loaded = tl::unexpected(recorded.error());
  }
  if (memory) backend.free(device, *memory, kBytes, 0);
  backend.destroy_stream(device, *stream);
  if (!loaded) log_debug("{}: kernels of a plan do not load: {}", call.text, loaded.error().message);
  return loaded.has_value();
}

/// What was kept of a plan as one that can run; null where cuDNN refuses it.
std::unique_ptr<Graph> recalled(const std::string& kept, cudnnHandle_t handle) {
  try {
    auto graph = std::make_unique<Graph>();
    const std::vector<std::uint8_t> bytes(kept.begin(), kept.end());
    // Without the frontend's own way to load kernels, which wants the operations, too.
    auto read = graph->deserialize(handle, bytes, false, false);
    if (read.is_good()) return graph;
    log_debug("a kept plan of cuDNN is refused: {}", read.get_message());
  } catch (const std::exception& error) {  // what reads it throws where it finds another form than it expects
    log_debug("a kept plan of cuDNN cannot be read: {}", error.what());
  }
  return nullptr;
}

/// The built plan, with the kernels that cuDNN compiled for it.
std::optional<std::string> printed(const Graph& graph) {
  try {
    std::vector<std::uint8_t> bytes;
    if (graph.serialize(bytes, false).is_good()) return std::string(bytes.begin(), bytes.end());
  } catch (const std::exception& error) {
    log_debug("a plan of cuDNN cannot be kept: {}", error.what());
  }
  return std::nullopt;
}

/// Numbers of the first plans that can be built, at most so many.
std::vector<std::int64_t> build_first(Graph& graph, std::size_t most) {
  std::vector<std::int64_t> built;
  for (std::int64_t i = 0, n = graph.get_execution_plan_count(); i < n && built.size() < most; ++i)
    if (graph.build_plan_at_index(i).is_good()) built.push_back(i);
  return built;
}

std::int64_t fastest_of(const CudnnCall& call, Graph& graph, const std::vector<std::int64_t>& built,
                        const Tuning& tuning) {
  Stopwatch stopwatch(*tuning.backend, tuning.device, call.operand_bytes,
                      tuning.has_large_weights() ? std::optional<std::size_t>(1) : std::nullopt);
  const auto seconds = race(built.size(), [&](std::size_t candidate) {
    const std::int64_t i = built[candidate];
    return stopwatch.seconds(
        static_cast<std::size_t>(std::max<std::int64_t>(graph.get_workspace_size_plan_at_index(i), 0)),
        [&](std::span<char* const> areas, void* scratch, StreamHandle stream) {
          return call.run(graph, i, areas, scratch, stream);
        });
  });
  for (std::size_t i = 0; i < built.size(); ++i)
    log_debug("{}: plan {} takes {:.2f} us", call.text, built[i], seconds[i] * 1e6);
  return built[fastest(seconds).value_or(0)];
}

}  // namespace

Expected<std::unique_ptr<Graph>> choose_plan(const CudnnCall& call, const Tuning& tuning) {
  JITNEY_TRY(auto handle, cudnn_handle(nullptr));
  const std::string key = tuning.key(cudnn_identity(), call.text);
  if (const auto kept = tuning.recall(key))
    if (auto graph = recalled(*kept, handle); graph && loads_kernels(call, *graph, 0, tuning)) return graph;
  JITNEY_TRY(auto graph, empty_plan(call, handle));
  JITNEY_CHECK(check(graph->create_execution_plans({fe::HeurMode_t::A, fe::HeurMode_t::FALLBACK}),
                     "cuDNN's heuristics for a call"));
  if (call.is_exact)
    graph->deselect_numeric_notes({fe::NumericalNote_t::TENSOR_CORE, fe::NumericalNote_t::DOWN_CONVERT_INPUTS});
  const auto built = build_first(*graph, tuning.times() ? kMostTimed : 1);
  if (built.empty()) return environment_error("cuDNN has no plan for {}", call.text);
  const std::int64_t chosen = built.size() > 1 ? fastest_of(call, *graph, built, tuning) : built.front();
  if (chosen != built.back()) JITNEY_CHECK(check(graph->build_plan_at_index(chosen), "cuDNN's plan"));
  // What does not load here may run all the same, where memory was short for one; but nobody else is to try.
  const bool loads = loads_kernels(call, *graph, chosen, tuning);
  if (loads && tuning.services != nullptr)
    if (const auto kept = printed(*graph)) tuning.keep(key, *kept, tuning.times());
  return graph;
}

}  // namespace jitney::backend::cuda
