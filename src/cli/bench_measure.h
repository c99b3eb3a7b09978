// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <vector>

#include "cli/bound_run.h"
#include "cli/samples.h"

namespace jitney::cli {

struct BenchPlan {
  double warmup_seconds = 0.2;
  double seconds = 3;   ///< at least so long
  int iterations = 10;  ///< and at least so many, of all callers together
};

struct BenchResult {
  Samples host_ms;     ///< from the call to its return, inputs and outputs being in place
  Samples enqueue_ms;  ///< of that, until everything was handed to the device
  double seconds = 0;  ///< from the first measured call to the last one's return
  bool interrupted = false;
};

/// Executes in a loop, each of `callers` in a thread of its own, all at once. SIGINT ends the measurement early, with
/// what there is. Throws what an execute threw.
BenchResult measure(const std::vector<std::unique_ptr<BoundRun>>& callers, const BenchPlan& plan);

}  // namespace jitney::cli
