// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
// The table of metrics. A new field of ContextStats gets a row here; a test compares the two.
#include "runtime/metrics.h"

#include <jitney/session.h>

#include "util/log.h"
#include "util/memory.h"

namespace jitney {
namespace runtime {
namespace {

using Type = Metric::Type;

Metric make(const MetricRow& row, double value, Metric::Labels labels = {}) {
  return {row.name, std::move(labels), value, row.type, row.help};
}

#define JITNEY_ROW(field, type, name, help)                                                                            \
  MetricRow {                                                                                                          \
    #field, "jitney_" name, type, help, [](const MetricRow& row, const ContextStats& stats, std::vector<Metric>& to) { \
      to.push_back(make(row, static_cast<double>(stats.field)));                                                       \
    }                                                                                                                  \
  }

void add_misses(const MetricRow& row, const ContextStats& stats, std::vector<Metric>& to) {
  for (const auto& [reason, count] : stats.cache_misses)
    to.push_back(make(row, static_cast<double>(count), {{"reason", reason}}));
}

void add_precompiled_misses(const MetricRow& row, const ContextStats& stats, std::vector<Metric>& to) {
  for (const auto& [reason, count] : stats.precompiled_misses)
    to.push_back(make(row, static_cast<double>(count), {{"reason", reason}}));
}

void add_path(const MetricRow& row, const ContextStats& stats, std::vector<Metric>& to) {
  to.push_back(make(row, 1, {{"path", stats.cache_path}}));
}

void add_description(const MetricRow& row, const ContextStats& stats, std::vector<Metric>& to) {
  to.push_back(make(row, 1, {{"description", stats.cache_description}}));
}

const MetricRow kTable[] = {
    JITNEY_ROW(kernels, Type::gauge, "steps", "Launches in one execute of the last shape"),
    JITNEY_ROW(library_calls, Type::gauge, "steps_library_calls", "Steps that a vendor library does"),
    JITNEY_ROW(interpreted, Type::gauge, "steps_interpreted", "Steps that the slow reference interpreter runs"),
    JITNEY_ROW(interpreted_operators, Type::counter, "interpreted_operators_total",
               "Operators that the reference interpreter has run"),
    JITNEY_ROW(distinct_kernels, Type::gauge, "kernels_distinct", "Different generated kernels among the steps"),
    JITNEY_ROW(compiled, Type::counter, "kernels_compiled_total", "Kernels that the context compiled"),
    JITNEY_ROW(from_cache, Type::counter, "kernels_from_cache_total", "Kernels that the context took from the cache"),
    JITNEY_ROW(precompiled, Type::counter, "kernels_precompiled_total", "Kernels that the engine brought"),
    {"precompiled_misses", "jitney_precompiled_misses_total", Type::counter,
     "Kernels that the engine brought and that did not serve, by reason", add_precompiled_misses},
    JITNEY_ROW(failed, Type::counter, "kernels_failed_total", "Kernels that could not be compiled, even unoptimized"),
    JITNEY_ROW(compile_seconds, Type::counter, "compile_seconds_total", "Time for which callers waited for kernels"),
    JITNEY_ROW(workers_started, Type::counter, "compiler_workers_started_total", "Compiler processes started"),
    JITNEY_ROW(plans, Type::counter, "plans_total", "Plans made, one for each shape that was seen"),
    JITNEY_ROW(cache_hits, Type::counter, "cache_hits_total", "Look-ups that the runtime cache answered"),
    {"cache_misses", "jitney_cache_misses_total", Type::counter, "Look-ups that gave nothing, by reason", add_misses},
    JITNEY_ROW(cache_published, Type::counter, "cache_published_total", "Entries written to the runtime cache"),
    JITNEY_ROW(cache_publish_failures, Type::counter, "cache_publish_failures_total",
               "Entries that could not be written and are kept in memory only"),
    JITNEY_ROW(cache_loaded, Type::counter, "cache_loaded_total", "Entries read from packed files and streams"),
    JITNEY_ROW(cache_damaged, Type::counter, "cache_damaged_total", "Of those, damaged ones, which are not used"),
    JITNEY_ROW(cache_evicted, Type::counter, "cache_evicted_total", "Entries removed to keep the cache's bound"),
    JITNEY_ROW(cache_waited, Type::counter, "cache_waited_total",
               "Entries that another thread or process made while this one waited"),
    {"cache_path", "jitney_cache_path", Type::gauge, "Where the runtime cache lies; always 1", add_path},
    {"cache_description", "jitney_cache_info", Type::gauge, "What the runtime cache is; always 1", add_description},
    JITNEY_ROW(stages, Type::gauge, "stages", "Pieces of a model whose extents or control flow follow from data"),
    JITNEY_ROW(stage_runs, Type::counter, "stage_runs_total", "Runs of such pieces"),
    JITNEY_ROW(hosted_runs, Type::counter, "hosted_runs_total", "Operators that ran on the host between them"),
    JITNEY_ROW(host_copies, Type::counter, "host_copies_total", "Copies between device and host for these"),
    JITNEY_ROW(host_copied_bytes, Type::counter, "host_copied_bytes_total", "Bytes of these copies"),
    JITNEY_ROW(graphs_captured, Type::counter, "graphs_captured_total", "Graphs captured"),
    JITNEY_ROW(graph_replays, Type::counter, "graph_replays_total", "Executes that replayed a graph"),
    JITNEY_ROW(graph_updates, Type::counter, "graph_updates_total", "Replays that were given other addresses first"),
    JITNEY_ROW(graph_fallbacks, Type::counter, "graph_fallbacks_total",
               "Executes that launched one by one although graphs were asked for"),
    JITNEY_ROW(graphs_lent, Type::counter, "graphs_lent_total",
               "Executes that were recorded into a graph of the caller's"),
    JITNEY_ROW(arena_bytes, Type::gauge, "arena_bytes", "Memory for intermediate values of the last shape"),
    JITNEY_ROW(device_bytes, Type::gauge, "device_bytes",
               "Memory that the device's backend holds for all contexts of the process, weights included"),
};

#undef JITNEY_ROW

struct StatusRow {
  const char* name;
  Type type;
  const char* help;
  double (*value)(const CompileStatus& status);
};

#define JITNEY_ROW(field, type, name, help)                                                                        \
  StatusRow {                                                                                                      \
    "jitney_specialization_" name, type, help, [](const CompileStatus& s) { return static_cast<double>(s.field); } \
  }

// kernels_done and kernels_total are of a moment: they are for progress bars.
const StatusRow kStatusTable[] = {
    JITNEY_ROW(waiting, Type::gauge, "waiting", "Shapes that wait for kernels of their own"),
    JITNEY_ROW(running, Type::gauge, "running", "Shapes whose own kernels are being made"),
    JITNEY_ROW(shapes, Type::gauge, "shapes", "Shapes that have kernels of their own"),
    JITNEY_ROW(specialized, Type::counter, "specialized_total", "Times that a shape got them"),
    JITNEY_ROW(evicted, Type::counter, "evicted_total", "Times that a shape lost them to others used more lately"),
    JITNEY_ROW(failed, Type::counter, "failed_total", "Shapes for which not every kernel could be had"),
    JITNEY_ROW(dropped, Type::counter, "dropped_total", "Requests cancelled, or driven out of a full queue"),
    JITNEY_ROW(compiled, Type::counter, "kernels_compiled_total", "Shapes' own kernels compiled"),
    JITNEY_ROW(from_cache, Type::counter, "kernels_from_cache_total", "Shapes' own kernels taken from the cache"),
    JITNEY_ROW(seconds, Type::counter, "seconds_total", "Time spent compiling and looking up shapes' own kernels"),
};

#undef JITNEY_ROW

}  // namespace

std::span<const MetricRow> metric_table() { return kTable; }

}  // namespace runtime

std::vector<Metric> metrics(const ContextStats& stats, const Metric::Labels& labels) {
  std::vector<Metric> result;
  for (const auto& row : runtime::metric_table()) row.add(row, stats, result);
  for (auto& metric : result) metric.labels.insert(metric.labels.begin(), labels.begin(), labels.end());
  return result;
}

std::vector<Metric> metrics(const CompileStatus& status, const Metric::Labels& labels) {
  std::vector<Metric> result;
  for (const auto& row : runtime::kStatusTable)
    result.push_back({row.name, labels, row.value(status), row.type, row.help});
  return result;
}

std::vector<Metric> metrics(const Session& session, const Metric::Labels& labels) {
  auto result = metrics(session.stats(), labels);
  auto status = metrics(session.compile_status(), labels);
  result.insert(result.end(), std::move_iterator(status.begin()), std::move_iterator(status.end()));
  result.push_back({"jitney_execution_contexts_created_total", labels,
                    static_cast<double>(session.num_execution_contexts_created()), Metric::Type::counter,
                    "Contexts made, one for each change of settings that a run met"});
  return result;
}

std::vector<Metric> metrics() {
  using Type = Metric::Type;
  std::vector<Metric> result;
  result.push_back(
      {"jitney_build_info", {{"version", JITNEY_VERSION}}, 1, Type::gauge, "The version of Jitney; always 1"});
  for (const LogLevel level : {LogLevel::errors, LogLevel::warnings})
    result.push_back({"jitney_log_lines_total",
                      {{"level", std::string(to_string(level))}},
                      static_cast<double>(log_lines(level)),
                      Type::counter,
                      "Lines logged since the process began"});
  result.push_back({"jitney_process_peak_memory_bytes",
                    {},
                    static_cast<double>(peak_memory()),
                    Type::gauge,
                    "The most memory that the process held at once"});
  return result;
}

}  // namespace jitney
