// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "cli/run_report.h"

namespace jitney::cli {

/// What `jitney bench` measured.
struct BenchReport {
  RunReport run;  ///< the model, its inputs, the times until the first result; latency_ms is the host's
  std::string precision;
  int streams = 1;
  Latency enqueue_ms;
  double specialize_ms = 0;  ///< kernels for these shapes, before the measurement
  std::uint64_t executes = 0;
  double seconds = 0;  ///< that they took, all callers at once
  std::size_t peak_bytes = 0;
  bool interrupted = false;

  double throughput() const { return seconds > 0 ? static_cast<double>(executes) / seconds : 0; }
};

std::string to_text(const BenchReport& report);
/// One JSON object on one line, with a stable set of keys. Times are milliseconds; null where nothing was measured.
std::string to_json(const BenchReport& report);

}  // namespace jitney::cli
