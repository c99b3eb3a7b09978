// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <jitney/execution_context.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "cli/statistics.h"

namespace jitney::cli {

/// What one `jitney run` did; printed for people (text_report.h) or for programs (json_report.h).
struct RunReport {
  struct TensorLine {
    std::string name;
    DType dtype = DType::f32;
    std::vector<std::int64_t> shape;
    std::optional<std::string> file;  ///< where an output was written
    std::string first_values;         ///< of an output; for people
  };

  std::string model;  ///< as given on the command line
  std::string device;
  int threads = 1;
  std::vector<TensorLine> inputs, outputs;
  std::map<std::string, std::int64_t> assumed_extents;  ///< symbols that nobody gave
  Latency latency_ms;
  double load_ms = 0;       ///< reading and optimizing the model
  double compile_ms = 0;    ///< waiting for kernels
  double first_run_ms = 0;  ///< the first execute, with its compiles
  double total_ms = 0;      ///< from the start of the process to the first result
  ContextStats stats;
};

}  // namespace jitney::cli
