// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "cli/bench_report.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <jitney/metrics.h>

#include <nlohmann/json.hpp>

#include "cli/json_report.h"

namespace jitney::cli {
namespace {

using Json = nlohmann::ordered_json;

std::string latency_line(const char* label, const Latency& l) {
  if (l.iterations == 0) return fmt::format("{:<14}not measured\n", label);
  return fmt::format(
      "{:<14}min {:.4g} ms, mean {:.4g}, median {:.4g}, p90 {:.4g}, p95 {:.4g}, p99 {:.4g}, max {:.4g}\n", label, l.min,
      l.mean, l.median, l.p90, l.p95, l.p99, l.max);
}

double mebibytes(double bytes) { return bytes / (1 << 20); }

}  // namespace

std::string to_text(const BenchReport& report) {
  const RunReport& run = report.run;
  std::string text = fmt::format("{:<14}{} on {}, {}, {} {}, {} {}\n", "model", run.model, run.device, report.precision,
                                 report.streams, report.streams == 1 ? "caller" : "callers", run.threads,
                                 run.threads == 1 ? "thread" : "threads");
  for (const auto& input : run.inputs)
    text +=
        fmt::format("{:<14}{} {} [{}]\n", "input", input.name, to_string(input.dtype), fmt::join(input.shape, ", "));
  if (report.interrupted) text += fmt::format("{:<14}what was measured until then\n", "interrupted");
  text += fmt::format("{:<14}{:.6g} executes a second ({} in {:.3f} s)\n", "throughput", report.throughput(),
                      report.executes, report.seconds);
  text += latency_line("host latency", run.latency_ms);
  text += latency_line("enqueue time", report.enqueue_ms);
  text += fmt::format(
      "{:<14}load {:.1f} ms, compile {:.1f} ms ({} compiled, {} from the cache), specialize {:.1f} ms, first run "
      "{:.1f} ms\n",
      "before", run.load_ms, run.compile_ms, run.stats.compiled, run.stats.from_cache, report.specialize_ms,
      run.first_run_ms);
  return text +
         fmt::format("{:<14}process {:.1f} MiB at most, device {:.1f} MiB, of that {:.1f} MiB for a caller's values\n",
                     "memory", mebibytes(static_cast<double>(report.peak_bytes)),
                     mebibytes(static_cast<double>(run.stats.device_bytes)),
                     mebibytes(static_cast<double>(run.stats.arena_bytes)));
}

std::string to_json(const BenchReport& report) {
  const RunReport& run = report.run;
  Json inputs = Json::array();
  for (const auto& input : run.inputs)
    inputs.push_back({{"name", input.name}, {"dtype", std::string(to_string(input.dtype))}, {"shape", input.shape}});
  const Json object = {{"model", run.model},
                       {"device", run.device},
                       {"precision", report.precision},
                       {"streams", report.streams},
                       {"threads", run.threads},
                       {"inputs", std::move(inputs)},
                       {"interrupted", report.interrupted},
                       {"executes", report.executes},
                       {"seconds", report.seconds},
                       {"throughput_per_second", report.executes > 0 ? Json(report.throughput()) : Json(nullptr)},
                       {"host_latency_ms", json_of(run.latency_ms)},
                       {"enqueue_ms", json_of(report.enqueue_ms)},
                       {"load_ms", run.load_ms},
                       {"compile_ms", run.compile_ms},
                       {"specialize_ms", report.specialize_ms},
                       {"first_run_ms", run.first_run_ms},
                       {"memory",
                        {{"peak_bytes", report.peak_bytes},
                         {"device_bytes", run.stats.device_bytes},
                         {"arena_bytes", run.stats.arena_bytes}}},
                       {"metrics", Json::parse(to_json(metrics(run.stats)))}};
  return object.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace jitney::cli
