// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "util/trace_ring.h"

#include <sys/mman.h>

#include "util/file.h"

namespace jitney {

TraceRing::~TraceRing() { release(); }

void TraceRing::release() {
  if (slots_ != nullptr) munmap(slots_, capacity_ * sizeof(Slot));
  slots_ = nullptr;
}

Status TraceRing::reset() {
  release();
  void* memory = mmap(nullptr, capacity_ * sizeof(Slot), PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED)
    return environment_error("no {} bytes for a trace: {}", capacity_ * sizeof(Slot), errno_text(errno));
  slots_ = static_cast<Slot*>(memory);
  next_ = 0;
  collided_ = 0;
  return {};
}

void TraceRing::add(const TraceEvent& event) {
  const std::uint64_t at = next_.fetch_add(1, std::memory_order_relaxed);
  if (at >= capacity_ && !keep_newest_) return;
  Slot& slot = slots_[at % capacity_];
  const std::atomic_ref state(slot.state);
  // A writer that was put to sleep a whole round ago may still be at it.
  std::uint32_t before = state.load(std::memory_order_relaxed);
  if (before == kWriting || !state.compare_exchange_strong(before, kWriting, std::memory_order_acquire)) {
    collided_.fetch_add(1, std::memory_order_relaxed);
    return;
  }
  slot.event = event;
  state.store(kReady, std::memory_order_release);
}

std::uint64_t TraceRing::lost() const {
  const std::uint64_t added = next_.load();
  return collided_.load() + (added > capacity_ ? added - capacity_ : 0);
}

std::vector<const TraceEvent*> TraceRing::events() const {
  std::vector<const TraceEvent*> result;
  const std::uint64_t added = next_.load();
  const std::size_t used = added < capacity_ ? static_cast<std::size_t>(added) : capacity_;
  for (std::size_t i = 0; i < used; ++i)
    if (std::atomic_ref(slots_[i].state).load(std::memory_order_acquire) == kReady) result.push_back(&slots_[i].event);
  return result;
}

}  // namespace jitney
