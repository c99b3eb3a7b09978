// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include <jitney/export.h>
#include <jitney/stream.h>
#include <jitney/tensor.h>

namespace jitney {

/// A tensor on any device: row-major memory of its own, aligned as the device likes it (64 bytes on CPUs, 256 on CUDA),
/// or memory that somebody else owns, with any strides. Movable, not copyable. Uploading and downloading wait until the
/// bytes have arrived. Using one object from several threads at once needs the caller's own exclusion.
class JITNEY_EXPORT DeviceTensor {
 public:
  /// Uninitialized, for use in the order of `stream`, in whose order the memory goes back, too: the tensor may go while
  /// what was put on that stream still reads it. 0: for use on every stream at once; then it must not go before what
  /// reads it is done. Throws Error(user) on a negative extent or when the byte count overflows, Error(environment)
  /// when the device is not there or has not enough memory; the message says how much was asked.
  DeviceTensor(DType dtype, std::vector<std::int64_t> shape, Device device, StreamHandle stream = 0);
  /// A copy of host memory. Throws as above.
  DeviceTensor(const Tensor& host, Device device, StreamHandle stream = 0);
  /// Somebody else's memory, as DLPack or another library hands it over: nothing is copied. `deleter` is called once,
  /// when this tensor goes; it may be null. `strides` count elements and may be empty (row-major) or negative; `data`
  /// is element [0, 0, ...]. Throws Error(user) for strides of another rank, a negative extent, or null data of a
  /// tensor that has elements; then the deleter is not called.
  static DeviceTensor borrow(void* data, DType dtype, std::vector<std::int64_t> shape,
                             std::vector<std::int64_t> strides, Device device, std::function<void()> deleter,
                             StreamHandle stream = 0);
  ~DeviceTensor();
  DeviceTensor(DeviceTensor&&) noexcept;
  DeviceTensor& operator=(DeviceTensor&&) noexcept;

  DType dtype() const;
  const std::vector<std::int64_t>& shape() const;
  /// Empty for a row-major tensor.
  const std::vector<std::int64_t>& strides() const;
  Device device() const;
  /// Valid as long as this tensor.
  TensorView view() const;
  /// Overwrites all elements, behind what its stream holds; dtype and shape must agree and the tensor be row-major,
  /// else Error(user).
  void upload(const Tensor& host);
  /// Row-major, whatever the strides, behind what its stream holds.
  Tensor download() const;

 private:
  class Impl;
  explicit DeviceTensor(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace jitney
