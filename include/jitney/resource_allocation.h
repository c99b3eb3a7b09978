// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace jitney {

/// What becomes of the memory for intermediate values between two runs.
enum class ResourceAllocationStrategy : std::uint8_t {
  static_allocation = 0,   ///< kept for the next run: no run allocates once its shape was seen
  dynamic_allocation = 1,  ///< each run takes exactly what it needs, in its stream's order, and gives it back; captured
                           ///< graphs and pieces between hosted operators keep theirs
};

}  // namespace jitney
