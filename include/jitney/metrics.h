// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <jitney/compile_status.h>
#include <jitney/execution_context.h>
#include <jitney/export.h>

/// Counters for monitoring: each number of ContextStats and CompileStatus and some of the process, with names and help
/// from one table each.
namespace jitney {

class Session;

struct Metric {
  enum class Type : std::uint8_t {
    counter,  ///< only grows
    gauge,    ///< goes up and down
  };
  using Labels = std::vector<std::pair<std::string, std::string>>;

  std::string name;  ///< as Prometheus wants it: "jitney_kernels_compiled_total"
  Labels labels;     ///< names of letters, digits and '_'
  double value = 0;
  Type type = Type::gauge;
  std::string help;

  /// The name, with its labels where there are some: jitney_cache_misses_total{reason="absent"}
  JITNEY_EXPORT std::string key() const;
};

/// Of one context, in the order of the table. `labels` are added to each, so that several contexts can be told apart.
JITNEY_EXPORT std::vector<Metric> metrics(const ContextStats& stats, const Metric::Labels& labels = {});
/// Of what is compiled in the background.
JITNEY_EXPORT std::vector<Metric> metrics(const CompileStatus& status, const Metric::Labels& labels = {});
/// Both of a session, and how many contexts it made. Thread-safe.
JITNEY_EXPORT std::vector<Metric> metrics(const Session& session, const Metric::Labels& labels = {});
/// Of this process: log lines, memory, the version. Thread-safe.
JITNEY_EXPORT std::vector<Metric> metrics();

/// One object: key() -> number, in order.
JITNEY_EXPORT std::string to_json(const std::vector<Metric>& metrics);
/// Prometheus' text format 0.0.4. What has one name is put together, as the format asks.
JITNEY_EXPORT std::string to_prometheus(const std::vector<Metric>& metrics);

}  // namespace jitney
