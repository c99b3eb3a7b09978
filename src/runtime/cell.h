// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include <jitney/tensor.h>

#include "runtime/kernel_set.h"

namespace jitney::runtime {

/// A tensor between stages: row-major memory that its copies share, on the device or on the host.
struct Cell {
  DType dtype = DType::f32;
  std::vector<std::int64_t> shape;
  std::shared_ptr<void> memory;  ///< null where there are no bytes
  bool on_host = true;           ///< on a device of host memory always

  std::int64_t num_elements() const;
  std::size_t num_bytes() const { return static_cast<std::size_t>(num_elements()) * size_of(dtype); }
  void* data() const { return memory.get(); }
  template <class T>
  T* as() const {
    return static_cast<T*>(memory.get());
  }
};

/// Makes cells, and moves them between the host and one device. Thread-safe.
class Cells {
 public:
  explicit Cells(Target target) : target_(std::move(target)) {}

  /// Uninitialized. Errors: environment where memory is short, user where the bytes cannot be counted.
  Expected<Cell> on_device(DType dtype, std::vector<std::int64_t> shape) const;
  Expected<Cell> on_host(DType dtype, std::vector<std::int64_t> shape) const;
  /// The same elements there: itself, or a copy.
  Expected<Cell> to_device(const Cell& cell) const;
  Expected<Cell> to_host(const Cell& cell) const;
  /// Shares a constant's memory, which is brought in if it is not there.
  static Expected<Cell> of_constant(const Tensor& tensor);
  static Cell of_tensor(const Tensor& tensor);
  static Tensor tensor_of(const Cell& host);
  /// To memory on the device, or on the host where that is the same.
  Status copy_out(const Cell& cell, void* to) const;

  const Target& target() const { return target_; }
  std::uint64_t copies() const { return copies_.load(std::memory_order_relaxed); }
  std::uint64_t copied_bytes() const { return copied_bytes_.load(std::memory_order_relaxed); }

 private:
  Status copy(void* to, const void* from, std::size_t bytes, backend::CopyKind kind) const;

  Target target_;
  mutable std::atomic<std::uint64_t> copies_{0}, copied_bytes_{0};  // between host and device
};

}  // namespace jitney::runtime
