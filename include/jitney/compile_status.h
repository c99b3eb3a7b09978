// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace jitney {

/// How far the specialization of one engine's shapes has come.
struct CompileStatus {
  int waiting = 0;       ///< shapes in the queue
  int running = 0;       ///< shapes that are being compiled
  int kernels_done = 0;  ///< of the shape that is being compiled
  int kernels_total = 0;
  int shapes = 0;                 ///< that have specialized kernels now
  std::uint64_t specialized = 0;  ///< shapes that ever had them
  std::uint64_t evicted = 0;      ///< shapes that lost them to ones used more lately
  std::uint64_t failed = 0;       ///< shapes for which not every kernel could be had
  std::uint64_t dropped = 0;      ///< requests cancelled, or driven out of a full queue
  /// Kernels; with those that a device's backend brought itself for the shapes' library calls.
  std::uint64_t compiled = 0, from_cache = 0, precompiled = 0;
  double seconds = 0;  ///< spent compiling and looking up specialized kernels

  bool is_idle() const { return waiting == 0 && running == 0; }
};

}  // namespace jitney
