// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "backend/backend.h"

/// How tests steer the null backend and see what was done on it. Found with
/// backend_symbol("null", "jitney_null_hooks"), which gives a const NullHooks*. Thread-safe.
namespace jitney::backend {

enum class NullCall : std::uint8_t { allocate, copy, create_stream, synchronize, load, launch, begin_capture, replay };
inline constexpr int kNullCallCount = 8;

/// Since the process started.
struct NullCounters {
  std::int64_t calls[kNullCallCount] = {};  ///< by NullCall, those that failed included
  std::int64_t captured_launches = 0;       ///< recorded instead of launched
  std::int64_t replayed_launches = 0;       ///< launched by replays
};

struct NullHooks {
  /// The nth such call from now fails with Error(environment): 1 is the next one, 0 takes an order back.
  void (*fail_call)(NullCall call, std::int64_t nth);
  NullCounters (*counters)();
  /// Whether all work that the event stands for comes before whatever is launched on the stream next.
  bool (*is_ordered)(EventHandle event, StreamHandle stream);
};

}  // namespace jitney::backend
