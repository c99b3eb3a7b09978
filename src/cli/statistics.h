// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

namespace jitney::cli {

struct Latency {
  int iterations = 0;  ///< 0: nothing was measured, and the rest means nothing
  double min = 0, mean = 0, median = 0, p90 = 0, p95 = 0, p99 = 0, max = 0;
};

/// The value below which `fraction` (0 to 1) of the samples lie, interpolated linearly between the two nearest, as
/// numpy.percentile does. `sorted` is ascending and not empty.
double percentile(const std::vector<double>& sorted, double fraction);

/// In the unit of the samples, which may come in any order.
Latency summarize(std::vector<double> samples);

}  // namespace jitney::cli
