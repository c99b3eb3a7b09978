// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "cli/json_report.h"

#include <nlohmann/json.hpp>

namespace jitney::cli {
namespace {

using Json = nlohmann::ordered_json;

Json tensor(const RunReport::TensorLine& line) {
  return {{"name", line.name}, {"dtype", std::string(to_string(line.dtype))}, {"shape", line.shape}};
}

Json inputs(const RunReport& report) {
  Json result = Json::array();
  for (const auto& line : report.inputs) result.push_back(tensor(line));
  return result;
}

Json outputs(const RunReport& report) {
  Json result = Json::array();
  for (const auto& line : report.outputs) {
    Json entry = tensor(line);
    entry["file"] = line.file ? Json(*line.file) : Json(nullptr);
    result.push_back(std::move(entry));
  }
  return result;
}

}  // namespace

nlohmann::ordered_json json_of(const Latency& latency) {
  const auto value = [&](double x) { return latency.iterations > 0 ? Json(x) : Json(nullptr); };
  return {{"min", value(latency.min)}, {"mean", value(latency.mean)},     {"median", value(latency.median)},
          {"p90", value(latency.p90)}, {"p95", value(latency.p95)},       {"p99", value(latency.p99)},
          {"max", value(latency.max)}, {"iterations", latency.iterations}};
}

namespace {

Json kernels(const ContextStats& stats) {
  return {{"total", stats.kernels},           {"distinct", stats.distinct_kernels},
          {"compiled", stats.compiled},       {"from_cache", stats.from_cache},
          {"precompiled", stats.precompiled}, {"precompiled_misses", stats.precompiled_misses},
          {"failed", stats.failed},           {"interpreted", stats.interpreted}};
}

Json cache(const ContextStats& stats) {
  Json misses = Json::object();
  for (const auto& [reason, count] : stats.cache_misses) misses[reason] = count;
  return {{"path", stats.cache_path},
          {"description", stats.cache_description},
          {"hits", stats.cache_hits},
          {"misses", std::move(misses)},
          {"published", stats.cache_published}};
}

}  // namespace

std::string to_json(const RunReport& report) {
  const Json object = {{"model", report.model},
                       {"device", report.device},
                       {"threads", report.threads},
                       {"inputs", inputs(report)},
                       {"outputs", outputs(report)},
                       {"latency_ms", json_of(report.latency_ms)},
                       {"load_ms", report.load_ms},
                       {"compile_ms", report.compile_ms},
                       {"first_run_ms", report.first_run_ms},
                       {"total_ms", report.total_ms},
                       {"kernels", kernels(report.stats)},
                       {"cache", cache(report.stats)},
                       {"workers_started", report.stats.workers_started}};
  return object.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace jitney::cli
