// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include "ir/graph.h"

namespace jitney::ir {

/// The attributes are those of ops.def, each with its type.
Status verify_attributes(const Node& node);

/// Dtypes and shapes of the outputs fit the inputs'. Attributes and ids were checked before.
Status verify_types(const Graph& graph, const Node& node);

/// Of one rank, and no extents that differ for certain.
bool may_equal(const Shape& a, const Shape& b);

/// Whether the Dims differ whatever their symbols are.
inline bool differ(const Dim& a, const Dim& b) {
  const auto difference = (a - b).constant();
  return difference && *difference != 0;
}

}  // namespace jitney::ir
