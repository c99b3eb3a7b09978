// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "util/expected.h"
#include "util/trace_event.h"

namespace jitney {

/// A bounded buffer of events in pages that the system gives when they are first written. add() is safe from any
/// thread and neither waits nor allocates; the others only while nobody adds.
class TraceRing {
 public:
  /// keep_newest: a full ring overwrites its oldest event; else it takes no more.
  TraceRing(std::size_t capacity, bool keep_newest) : capacity_(capacity), keep_newest_(keep_newest) {}
  ~TraceRing();
  TraceRing(const TraceRing&) = delete;
  TraceRing& operator=(const TraceRing&) = delete;

  /// Empty from now on. Error(environment) when there is no address space.
  Status reset();
  /// Gives the pages back.
  void release();
  void add(const TraceEvent& event);
  std::uint64_t lost() const;  ///< since reset()
  std::vector<const TraceEvent*> events() const;

 private:
  struct Slot {
    std::uint32_t state;  ///< kEmpty, kWriting or kReady
    TraceEvent event;
  };
  static constexpr std::uint32_t kEmpty = 0, kWriting = 1, kReady = 2;

  const std::size_t capacity_;
  const bool keep_newest_;
  Slot* slots_ = nullptr;
  std::atomic<std::uint64_t> next_{0}, collided_{0};
};

}  // namespace jitney
