// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>

namespace jitney::runtime {

/// Where this thread's executes write down when they had handed all their work to the device and began to wait; null:
/// nobody asks, and no clock is read. Where launches are synchronous, that is when the work is done.
inline thread_local constinit std::chrono::steady_clock::time_point* enqueue_mark = nullptr;

inline void mark_enqueued() {
  if (enqueue_mark != nullptr) *enqueue_mark = std::chrono::steady_clock::now();
}

}  // namespace jitney::runtime
