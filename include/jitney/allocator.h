// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <memory>

#include <jitney/export.h>
#include <jitney/stream.h>
#include <jitney/tensor.h>

namespace jitney {

/// Where the bytes on a device come from. A program that has a pool of its own gives Jitney one of these, so that the
/// two do not hold memory against each other. Called from many threads at once.
class Allocator {
 public:
  virtual ~Allocator() = default;
  /// At least `bytes` > 0, aligned to 256 on a GPU and to 64 on a CPU, to be used in the order of `stream` (0: by every
  /// stream at once, after the default stream got there; on a CPU always 0). Null or an exception where there are none,
  /// or memory that is aligned less: an Error(environment) for whoever asked.
  virtual void* allocate(std::size_t bytes, StreamHandle stream) = 0;
  /// What allocate() gave; the memory may be used again in the order of `stream`, where it may still be read now.
  virtual void free(void* memory, std::size_t bytes, StreamHandle stream) noexcept = 0;
};

/// Everything that is allocated on the device from now on, by all contexts of this process: weights, intermediate
/// values, DeviceTensors; on a CPU not what its libraries allocate for themselves, nor what is read from a mapped file.
/// Null is Jitney's own pool again. Memory goes back to the allocator that it came from, which is kept for as long as
/// that takes. Thread-safe. Throws Error(environment) where there is no such device or its backend cannot have another
/// allocator.
JITNEY_EXPORT void set_allocator(Device device, std::shared_ptr<Allocator> allocator);

}  // namespace jitney
