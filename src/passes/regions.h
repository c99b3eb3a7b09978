// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "ir/graph.h"

namespace jitney::passes {

/// What kind of loop nest a region is.
enum class RegionKind : std::uint8_t {
  map,       ///< one element of `shape` at a time
  row,       ///< reductions over `axes` of `shape`, and maps before, between and after them
  contract,  ///< one matmul, convolution or pooling that gives `shape`, and a map after it
  call,      ///< the same by a vendor library, with an epilogue that it knows (passes/call.h)
  alone,     ///< one node that is no loop nest: an algorithm (kernel/algorithm.h), or the interpreter runs it
};

/// A set of nodes that becomes one kernel.
struct Region {
  RegionKind kind = RegionKind::map;
  ir::Shape shape;
  std::vector<std::int64_t> axes;
  std::vector<int> nodes;  ///< in execution order
};

struct Grouping {
  std::vector<Region> regions;  ///< in an order in which they can run
  std::vector<int> region_of;   ///< for each node its region, or -1 for views
};

/// Greedy grouping of a decomposed graph. Every node that is not a view is in exactly one region, and
/// regions form no cycle.
Grouping group(const ir::Graph& graph);

/// The row-level shape: `shape` with the reduced axes at extent 1.
ir::Shape reduced_shape(const ir::Shape& shape, const std::vector<std::int64_t>& axes);

}  // namespace jitney::passes
