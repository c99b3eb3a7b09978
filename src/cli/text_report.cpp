// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "cli/text_report.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <type_traits>

#include "ir/element.h"

namespace jitney::cli {
namespace {

template <class T>
std::string value_text(T element) {
  if constexpr (std::is_same_v<T, ir::Bool>) {
    return ir::load(element) != 0 ? "true" : "false";
  } else if constexpr (ir::kIsFloating<T>) {
    return fmt::format("{:.5g}", ir::load(element));
  } else {
    return fmt::format("{}", ir::load(element));
  }
}

std::string tensor_line(const char* label, const RunReport::TensorLine& line) {
  std::string text =
      fmt::format("{:<10}{} {} [{}]", label, line.name, to_string(line.dtype), fmt::join(line.shape, ", "));
  if (!line.first_values.empty()) text += " = " + line.first_values;
  if (line.file) text += " -> " + *line.file;
  return text + "\n";
}

std::string latency_line(const Latency& latency) {
  if (latency.iterations == 0) return {};
  return fmt::format("{:<10}min {:.3f} ms, median {:.3f}, p90 {:.3f}, p99 {:.3f} ({} {})\n", "latency", latency.min,
                     latency.median, latency.p90, latency.p99, latency.iterations,
                     latency.iterations == 1 ? "run" : "runs");
}

std::string kernels_line(const ContextStats& stats) {
  std::string text = fmt::format("{:<10}{} launches of {} distinct kernels: {} compiled, {} from the cache", "kernels",
                                 stats.kernels, stats.distinct_kernels, stats.compiled, stats.from_cache);
  if (stats.precompiled > 0) text += fmt::format(", {} from the engine", stats.precompiled);
  for (const auto& [reason, count] : stats.precompiled_misses)
    text += fmt::format(", {} in the engine not used ({})", count, reason);
  if (stats.failed > 0) text += fmt::format(", {} failed to compile", stats.failed);
  if (stats.interpreted > 0) text += fmt::format("; {} steps ran in the slow reference interpreter", stats.interpreted);
  return text + "\n";
}

std::string cache_line(const ContextStats& stats) {
  std::uint64_t missed = 0;
  std::string reasons;
  for (const auto& [reason, count] : stats.cache_misses) {
    if (count == 0) continue;
    missed += count;
    reasons += fmt::format("{}{} {}", reasons.empty() ? "" : ", ", reason, count);
  }
  const std::string where = stats.cache_description.empty() ? stats.cache_path : stats.cache_description;
  return fmt::format("{:<10}{} hits, {} misses{}; {}\n", "cache", stats.cache_hits, missed,
                     reasons.empty() ? "" : fmt::format(" ({})", reasons), where);
}

/// "batch = 1, sequence = 1"
std::string assumed(const RunReport& report) {
  std::string result;
  for (const auto& [symbol, extent] : report.assumed_extents) {
    result += fmt::format("{}{} = {}", result.empty() ? "" : ", ", symbol, extent);
  }
  return result;
}

}  // namespace

std::string first_values(const Tensor& tensor) {
  constexpr std::int64_t kSmall = 10, kFirst = 6;
  const std::int64_t count = tensor.num_elements();
  const std::int64_t shown = count <= kSmall ? count : kFirst;
  std::string result = "[";
  ir::with_element(tensor.dtype(), [&](auto element) {
    const auto* data = tensor.as<decltype(element)>();
    for (std::int64_t i = 0; i < shown; ++i) result += (i > 0 ? ", " : "") + value_text(data[i]);
  });
  return result + (shown < count ? ", ...]" : "]");
}

std::string to_text(const RunReport& report) {
  std::string text = fmt::format("{:<10}{} on {}, {} {}\n", "model", report.model, report.device, report.threads,
                                 report.threads == 1 ? "thread" : "threads");
  if (!report.assumed_extents.empty()) {
    text +=
        fmt::format("{:<10}extents that were not given: {} (--shape or --input gives them)\n", "info", assumed(report));
  }
  for (const auto& line : report.inputs) text += tensor_line("input", line);
  for (const auto& line : report.outputs) text += tensor_line("output", line);
  text += latency_line(report.latency_ms);
  text += fmt::format(
      "{:<10}first result {:.1f} ms after the start: load {:.1f} ms, compile {:.1f} ms, first run {:.1f} ms\n", "time",
      report.total_ms, report.load_ms, report.compile_ms, report.first_run_ms);
  return text + kernels_line(report.stats) + cache_line(report.stats);
}

}  // namespace jitney::cli
