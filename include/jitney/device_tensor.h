// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include <jitney/export.h>
#include <jitney/tensor.h>

namespace jitney {

/// A tensor that owns row-major memory on any device, aligned as the device likes it (64 bytes on CPUs, 256 on CUDA).
/// Movable, not copyable. Uploading and downloading wait until the bytes have arrived. Using one object from several
/// threads at once needs the caller's own exclusion.
class JITNEY_EXPORT DeviceTensor {
 public:
  /// Uninitialized. Throws Error(user) on a negative extent or when the byte count overflows, Error(environment) when
  /// the device is not there or has not enough memory; the message says how much was asked.
  DeviceTensor(DType dtype, std::vector<std::int64_t> shape, Device device);
  /// A copy of host memory. Throws as above.
  DeviceTensor(const Tensor& host, Device device);
  ~DeviceTensor();
  DeviceTensor(DeviceTensor&&) noexcept;
  DeviceTensor& operator=(DeviceTensor&&) noexcept;

  DType dtype() const;
  const std::vector<std::int64_t>& shape() const;
  Device device() const;
  /// Valid as long as this tensor.
  TensorView view() const;
  /// Overwrites all elements; dtype and shape must agree, else Error(user).
  void upload(const Tensor& host);
  Tensor download() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace jitney
