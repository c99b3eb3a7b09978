// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <jitney/allocator.h>

#include <atomic>
#include <exception>
#include <memory>
#include <mutex>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "util/expected.h"

namespace jitney::backend {

/// The allocator that a program gave a device, and what came from it and from earlier ones. Thread-safe.
class ProgramAllocator {
 public:
  void set(std::shared_ptr<Allocator> allocator) {
    const std::lock_guard lock(mutex_);
    if (allocator) was_set_.store(true, std::memory_order_release);
    allocator_ = std::move(allocator);
  }

  /// Null where the device's own memory is meant.
  std::shared_ptr<Allocator> current() const {
    if (!was_set_.load(std::memory_order_acquire)) return nullptr;
    const std::lock_guard lock(mutex_);
    return allocator_;
  }

  /// Memory of current(), which is not null. Error(environment), of `device`, where it gives none, throws, or gives
  /// memory that is not aligned to `alignment`.
  Expected<void*> allocate(const std::shared_ptr<Allocator>& from, std::size_t bytes, StreamHandle stream,
                           std::size_t alignment, std::string_view device) {
    void* memory = nullptr;
    try {
      memory = from->allocate(bytes, stream);
    } catch (const std::exception& error) {
      return environment_error("{} cannot allocate {} bytes: the program's allocator says '{}'", device, bytes,
                               error.what());
    }
    if (memory == nullptr)
      return environment_error("{} cannot allocate {} bytes: the program's allocator gave none", device, bytes);
    if (reinterpret_cast<std::uintptr_t>(memory) % alignment != 0) {
      from->free(memory, bytes, stream);
      return environment_error("{} cannot allocate {} bytes: what the program's allocator gave is not aligned to {}",
                               device, bytes, alignment);
    }
    const std::lock_guard lock(mutex_);
    borrowed_[memory] = from;
    return memory;
  }

  /// Gives memory back to whom it came from; false where that was nobody here.
  bool free(void* memory, std::size_t bytes, StreamHandle stream) noexcept {
    if (!was_set_.load(std::memory_order_acquire)) return false;
    std::shared_ptr<Allocator> owner;
    {
      const std::lock_guard lock(mutex_);
      auto node = borrowed_.extract(memory);
      if (node.empty()) return false;
      owner = std::move(node.mapped());
    }
    owner->free(memory, bytes, stream);
    return true;
  }

 private:
  std::atomic<bool> was_set_ = false;
  mutable std::mutex mutex_;  // guards what follows
  std::shared_ptr<Allocator> allocator_;
  std::unordered_map<void*, std::shared_ptr<Allocator>> borrowed_;
};

}  // namespace jitney::backend
