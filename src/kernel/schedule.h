// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "kernel/kernel.h"

namespace jitney::kernel {

/// How a kernel's loops run on one target. Everything that an emitter could decide is decided here; emitters obey.
struct Schedule {
  enum class Reduction : std::uint8_t {
    none,          ///< the kernel reduces nothing
    across_lanes,  ///< the lanes hold elements of one sum: they are folded after the loop
    per_lane,      ///< each lane has a sum of its own: the lanes are neighbouring points
  };
  int vector_axis = 0;  ///< index into Kernel::axes: the axis along which lanes are neighbours
  int lanes = 16;       ///< elements computed at once
  Reduction reduction = Reduction::none;
  int registers = 1;  ///< vector registers that one f32 value of all lanes takes
  /// Whether code is needed for a vector that is not full. Without it points must be split at multiples of `granule`.
  bool tail = true;
  std::int64_t granule = 1;
  /// From this many points on, stores go past the caches; 0: never.
  std::int64_t stream_from = 0;
  int accumulators = 0;  ///< vector registers in flight for all sums of one phase together
  ir::Dim points;        ///< of the parallel axes: what may be split between threads
  /// Rough operations for one point: decides the grain, see grain().
  ir::Dim cost_per_point;

  bool horizontal() const { return reduction == Reduction::across_lanes; }
};

/// Pure: equal kernels and widths give equal schedules. `vector_bytes` is the width of the target's vector registers.
/// Shapes count only where an extent is a known small constant: such a vector axis takes fewer lanes. With
/// `fixed_shapes` a known extent that the lanes divide needs no tail either: for code that serves these shapes only.
Schedule make_schedule(const Kernel& kernel, int vector_bytes, bool fixed_shapes = false);

/// One line: "vector axis r1 (m), 32 lanes, reduction across lanes, 2 phases, 2 accumulators, n points of about 9*m
/// operations".
std::string print(const Kernel& kernel, const Schedule& schedule);

/// Points worth giving to one thread at least, given Schedule::cost_per_point. At least 1.
std::int64_t grain(std::int64_t cost_per_point);

/// How well an axis vectorizes. Accesses inside the reduction count first: jumps and moving bounds make them slow;
/// then accesses outside it; then how many walk along memory.
struct AxisScore {
  int slow = 0, slow_outside = 0, walks = 0;
  bool better_than(const AxisScore& other) const;
};
AxisScore score(const Kernel& kernel, std::size_t axis);

/// The vector axis of a kernel: its innermost reduction axis, unless its innermost parallel axis is better.
int choose_vector_axis(const Kernel& kernel);

}  // namespace jitney::kernel
