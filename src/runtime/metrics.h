// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <jitney/metrics.h>

#include <span>

namespace jitney::runtime {

/// One row for each field of ContextStats. Numbers have one value; what has several (by reason) or is text (labels of a
/// metric that is always 1) has a function of its own.
struct MetricRow {
  const char* field;  ///< of ContextStats
  const char* name;
  Metric::Type type;
  const char* help;
  void (*add)(const MetricRow& row, const ContextStats& stats, std::vector<Metric>& to);
};
std::span<const MetricRow> metric_table();

}  // namespace jitney::runtime
