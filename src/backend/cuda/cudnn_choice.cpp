// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "backend/cuda/cudnn_choice.h"

#include <algorithm>
#include <sstream>

#include "util/log.h"

namespace jitney::backend::cuda {
namespace {

namespace fe = cudnn_frontend;
using Graph = fe::graph::Graph;

/// Plans that are built and timed: each takes tens of milliseconds to build.
constexpr std::size_t kMostTimed = 8;

/// An engine and its knobs: "17 2=1 9=0".
std::string print_choice(std::int64_t engine, const std::unordered_map<fe::KnobType_t, std::int64_t>& knobs) {
  std::vector<std::pair<int, std::int64_t>> sorted;
  for (const auto& [knob, value] : knobs) sorted.emplace_back(static_cast<int>(knob), value);
  std::ranges::sort(sorted);
  std::string text = std::to_string(engine);
  for (const auto& [knob, value] : sorted) text += fmt::format(" {}={}", knob, value);
  return text;
}

bool read_choice(const std::string& text, std::int64_t& engine,
                 std::unordered_map<fe::KnobType_t, std::int64_t>& knobs) {
  std::istringstream in(text);
  if (!(in >> engine)) return false;
  int knob = 0;
  std::int64_t value = 0;
  char equals = 0;
  while (in >> knob >> equals >> value) knobs[static_cast<fe::KnobType_t>(knob)] = value;
  return in.eof();
}

Expected<std::unique_ptr<Graph>> empty_plan(const CudnnCall& call, cudnnHandle_t handle) {
  auto graph = std::make_unique<Graph>();
  JITNEY_CHECK(call.describe(*graph));
  JITNEY_CHECK(check(graph->validate(), "cuDNN's check of a call"));
  JITNEY_CHECK(check(graph->build_operation_graph(handle), "cuDNN's graph of a call"));
  return graph;
}

std::unique_ptr<Graph> recalled(const CudnnCall& call, const std::string& choice, cudnnHandle_t handle) {
  std::int64_t engine = 0;
  std::unordered_map<fe::KnobType_t, std::int64_t> knobs;
  if (!read_choice(choice, engine, knobs)) return nullptr;
  auto graph = empty_plan(call, handle);
  if (!graph || (*graph)->create_execution_plan(engine, knobs).is_bad() || (*graph)->build_plan_at_index(0).is_bad())
    return nullptr;
  return std::move(*graph);
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
  const std::string key = tuning.key(fmt::format("cudnn {}", fe::detail::get_backend_version()), call.text);
  if (const auto kept = tuning.recall(key))
    if (auto graph = recalled(call, *kept, handle)) return graph;
  JITNEY_TRY(auto graph, empty_plan(call, handle));
  JITNEY_CHECK(check(graph->create_execution_plans({fe::HeurMode_t::A, fe::HeurMode_t::FALLBACK}),
                     "cuDNN's heuristics for a call"));
  if (call.is_exact)
    graph->deselect_numeric_notes({fe::NumericalNote_t::TENSOR_CORE, fe::NumericalNote_t::DOWN_CONVERT_INPUTS});
  const auto built = build_first(*graph, tuning.times() ? kMostTimed : 1);
  if (built.empty()) return environment_error("cuDNN has no plan for {}", call.text);
  const std::int64_t chosen = built.size() > 1 ? fastest_of(call, *graph, built, tuning) : built.front();
  if (chosen != built.back()) JITNEY_CHECK(check(graph->build_plan_at_index(chosen), "cuDNN's plan"));
  std::int64_t engine = 0;
  std::unordered_map<fe::KnobType_t, std::int64_t> knobs;
  if (graph->get_engine_and_knobs_at_index(chosen, engine, knobs).is_good())
    tuning.keep(key, print_choice(engine, knobs), tuning.times());
  return graph;
}

}  // namespace jitney::backend::cuda
