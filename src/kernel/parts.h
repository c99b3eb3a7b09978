// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "kernel/kernel.h"

namespace jitney::kernel {

/// Whether a bound says which part of a concatenation a point is in.
bool is_part(const Kernel& kernel, const Bound& bound);

/// A range of points that is computed by code of its own: where the bound holds.
struct Part {
  Bound bound;
  std::size_t first = 0, count = 0;  ///< of Kernel::row_stores: what is stored there
};

/// Rewrites a kernel that concatenates so that each part has stores and expressions of its own, in which only that
/// part is read and nothing is chosen. Parts are in their order along the axis; they are empty, and the kernel is as
/// it was, where there is nothing to split or the parts do not lie one after the other along `vector_axis`. Bounds
/// that do not move along that axis decide for a whole row.
std::vector<Part> split_parts(Kernel& kernel, int vector_axis);

}  // namespace jitney::kernel
