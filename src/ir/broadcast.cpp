// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "ir/graph.h"

namespace jitney::ir {

Expected<Shape> broadcast(const Shape& a, const Shape& b, std::string_view node_name, std::vector<Guard>& guards) {
  const std::size_t rank = std::max(a.size(), b.size());
  Shape result(rank);
  for (std::size_t axis = 0; axis < rank; ++axis) {
    // Aligned at the last axis; a missing axis has extent 1.
    const Dim x = axis + a.size() < rank ? Dim(1) : a[axis + a.size() - rank];
    const Dim y = axis + b.size() < rank ? Dim(1) : b[axis + b.size() - rank];
    if (x.is(1)) {
      result[axis] = y;
    } else if (y.is(1) || x == y) {
      result[axis] = x;
    } else if ((x - y).is_constant()) {  // not zero, so they differ whatever the symbols are
      return user_error("inputs of '{}' have shapes {} and {}, which do not broadcast: axis {} has extents {} and {}",
                        node_name, to_string(a), to_string(b), axis, x.to_string(), y.to_string());
    } else {
      guards.push_back({Guard::Relation::equal, x, y,
                        fmt::format("inputs of '{}' must have one extent along axis {}", node_name, axis)});
      result[axis] = y.is_constant() ? y : x;
    }
  }
  return result;
}

}  // namespace jitney::ir
