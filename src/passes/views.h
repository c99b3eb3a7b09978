// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <vector>

#include "ir/graph.h"

namespace jitney::passes {

/// Where a value's elements lie in the contiguous buffer of its root: element [i, j, ...] is at
/// offset + i * strides[0] + j * strides[1] + ..., counted in elements. Stride 0 is a broadcast.
struct StridedView {
  ir::ValueId root = ir::kNoValue;  ///< a graph input, a constant or a region's output
  ir::Dim offset;
  std::vector<ir::Dim> strides;
};

/// Row-major strides of a contiguous buffer.
std::vector<ir::Dim> contiguous_strides(const ir::Shape& shape);

/// The view that a view node (reshape, permute, expand, slice) makes of its input's view; nothing when strides
/// cannot express it (a reshape that merges axes which do not lie side by side).
std::optional<StridedView> view_through(const ir::Graph& graph, const ir::Node& node, const StridedView& input);

/// The view of every value in a graph at Stage::fused.
Expected<std::vector<StridedView>> compute_views(const ir::Graph& graph);

}  // namespace jitney::passes
