// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "ir/graph.h"

namespace jitney::passes {

/// What one pass did; in the order run.
struct PassRecord {
  std::string name;
  double seconds = 0;
  bool changed = false;
  std::size_t nodes_before = 0, nodes_after = 0;
};

/// From Stage::imported to Stage::optimized: target-independent and the same for every device. Each pass is timed,
/// logged at debug level where it changed something, and verified after.
Expected<ir::Graph> optimize(ir::Graph graph, std::vector<PassRecord>* records = nullptr);

/// From Stage::optimized to Stage::fused: what one kernel is.
Expected<ir::Graph> lower(ir::Graph graph, std::vector<PassRecord>* records = nullptr);

}  // namespace jitney::passes
