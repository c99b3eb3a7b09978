// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "backend/library_call.h"
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
/// logged at debug level where it changed something, and verified after. A graph with hosted operators is divided into
/// stages first, and each stage is optimized by itself.
Expected<ir::Graph> optimize(ir::Graph graph, std::vector<PassRecord>* records = nullptr);

/// What lowering may ask of the device that it lowers for.
struct LowerOptions {
  bool bf16 = false;  ///< f32 may become bf16 inside the graph
  /// Whether a vendor library does this call, and better than a generated kernel; extents of -1 are not known yet.
  std::function<bool(const backend::LibraryCall&)> offers = [](const backend::LibraryCall&) { return false; };
};

/// From Stage::optimized to Stage::fused: what one kernel is, and what one library call.
Expected<ir::Graph> lower(ir::Graph graph, const LowerOptions& options = {},
                          std::vector<PassRecord>* records = nullptr);

}  // namespace jitney::passes
