// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <jitney/dtype.h>
#include <jitney/export.h>

namespace jitney {

class Reloadable;

/// Where memory lies. The values of Type are DLPack's DLDeviceType.
struct Device {
  enum class Type : std::int32_t { cpu = 1, cuda = 2, null = 15 };
  Type type = Type::cpu;
  std::int32_t index = 0;
  friend bool operator==(const Device&, const Device&) = default;
};

/// "cpu", "cuda:0", "null".
JITNEY_EXPORT std::string to_string(Device device);

/// A tensor that somebody else owns; the fields of DLPack's DLTensor. Cheap to copy.
/// shape and strides must outlive the view. strides count elements, may be negative or 0, and may be
/// empty, which means row-major and contiguous. data points to element [0, 0, ...]. Rank 0 is a scalar; an
/// extent of 0 is an empty tensor, whose data may be null.
struct TensorView {
  void* data = nullptr;
  DType dtype = DType::f32;
  std::span<const std::int64_t> shape;
  std::span<const std::int64_t> strides;
  Device device;
};

/// A tensor that owns row-major, 64-byte aligned host memory. Copies share it. Reading one tensor from
/// many threads is safe; writing needs the caller's own exclusion.
class JITNEY_EXPORT Tensor {
 public:
  Tensor() = default;
  /// Zero-filled. Throws Error(user) on a negative extent or when the byte count overflows, and
  /// Error(environment) when the memory cannot be had; the message says how much was asked.
  Tensor(DType dtype, std::vector<std::int64_t> shape);
  /// Shares bytes that somebody keeps alive, for instance a mapped file. At least num_bytes() of them.
  Tensor(DType dtype, std::vector<std::int64_t> shape, std::shared_ptr<void> bytes);

  DType dtype() const { return dtype_; }
  const std::vector<std::int64_t>& shape() const { return shape_; }
  std::int64_t num_elements() const;
  std::size_t num_bytes() const { return static_cast<std::size_t>(num_elements()) * size_of(dtype_); }
  void* data() { return reloadable_ ? kept() : bytes_.get(); }
  const void* data() const { return reloadable_ ? kept() : bytes_.get(); }
  template <class T>
  T* as() {
    return static_cast<T*>(data());
  }
  template <class T>
  const T* as() const {
    return static_cast<const T*>(data());
  }
  /// Valid while this tensor lives and is not assigned to.
  TensorView view() const;

  /// Internal: an engine's large weights, whose bytes are in memory only while they are used.
  static Tensor reloading(DType dtype, std::vector<std::int64_t> shape, std::shared_ptr<Reloadable> bytes);
  const std::shared_ptr<Reloadable>& reloadable() const { return reloadable_; }

 private:
  void* kept() const;

  DType dtype_ = DType::f32;
  std::vector<std::int64_t> shape_{0};
  std::shared_ptr<void> bytes_;
  std::shared_ptr<Reloadable> reloadable_;
};

}  // namespace jitney
