// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "backend/cpu/host_memory.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstdlib>
#include <limits>

#include "util/memory.h"

namespace jitney::backend {
namespace {

constexpr std::size_t kHugePage = std::size_t{2} << 20;
constexpr std::size_t kBig = std::size_t{4} << 20;

}  // namespace

Expected<void*> HostMemory::allocate(std::size_t bytes) {
  if (bytes == 0) return nullptr;
  if (const auto from = program_.current()) {
    JITNEY_TRY(void* given, program_.allocate(from, bytes, 0, kAlignment, "cpu"));
    live_bytes_.fetch_add(static_cast<std::int64_t>(bytes));
    return given;
  }
  const auto total =
      static_cast<std::int64_t>(std::min<std::size_t>(usable_memory(), std::numeric_limits<std::int64_t>::max()));
  std::int64_t live = live_bytes_.load(std::memory_order_relaxed);
  do {
    const std::int64_t available = std::max<std::int64_t>(total - live, 0);
    if (bytes > static_cast<std::size_t>(available)) {
      return environment_error("cannot allocate {} bytes on the CPU: {} of {} bytes of memory are available", bytes,
                               available, total);
    }
  } while (!live_bytes_.compare_exchange_weak(live, live + static_cast<std::int64_t>(bytes)));

  const bool big = bytes >= kBig;
  void* memory = nullptr;
  if (posix_memalign(&memory, big ? kHugePage : kAlignment, bytes) != 0) {
    live_bytes_.fetch_sub(static_cast<std::int64_t>(bytes));
    return environment_error("cannot allocate {} bytes on the CPU: the system refused, with {} bytes in use here",
                             bytes, live);
  }
  // A wish only: fewer page faults and TLB misses where the system grants it.
  if (big) madvise(memory, bytes, MADV_HUGEPAGE);
  return memory;
}

void HostMemory::free(void* memory, std::size_t bytes) noexcept {
  if (memory == nullptr) return;
  if (!program_.free(memory, bytes, 0)) std::free(memory);
  live_bytes_.fetch_sub(static_cast<std::int64_t>(bytes));
}

}  // namespace jitney::backend
