// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "backend/program_allocator.h"
#include "util/expected.h"

namespace jitney::backend {

/// Host memory, 64-byte aligned, that is counted. Thread-safe.
class HostMemory {
 public:
  static constexpr std::size_t kAlignment = 64;

  /// Memory of undefined content; null for 0 bytes. Error(environment), naming the bytes asked for and available, for
  /// more than the machine (or this control group) has left beside what was allocated here before: the kernel would
  /// promise it, and end the process when it is touched. How much there is of it is the program's own business where
  /// it gave an allocator.
  Expected<void*> allocate(std::size_t bytes);
  /// Who allocates from now on; null is the C library.
  void set_allocator(std::shared_ptr<Allocator> allocator) { program_.set(std::move(allocator)); }
  void free(void* memory, std::size_t bytes) noexcept;
  std::int64_t live_bytes() const { return live_bytes_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::int64_t> live_bytes_ = 0;
  ProgramAllocator program_;
};

}  // namespace jitney::backend
