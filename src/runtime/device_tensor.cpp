// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include <jitney/device_tensor.h>

#include "runtime/target.h"
#include "util/expected.h"
#include "util/tensor_bytes.h"

namespace jitney {

using backend::CopyKind;

class DeviceTensor::Impl {
 public:
  Impl(DType dtype, std::vector<std::int64_t> shape, Device device)
      : dtype(dtype), shape(std::move(shape)), device(device), target(value_or_throw(runtime::open_target(device))) {
    bytes = checked_bytes(dtype, this->shape);
    memory = value_or_throw(target.backend->allocate(target.device, bytes, 0));
  }
  ~Impl() { target.backend->free(target.device, memory, bytes, 0); }
  Impl(const Impl&) = delete;

  void copy(void* to, const void* from, CopyKind kind) const {
    if (bytes == 0) return;
    value_or_throw(target.backend->copy(target.device, to, from, bytes, kind, 0));
    value_or_throw(target.backend->synchronize(target.device, 0));
  }

  const DType dtype;
  const std::vector<std::int64_t> shape;
  const Device device;
  const runtime::Target target;
  std::size_t bytes = 0;
  void* memory = nullptr;
};

DeviceTensor::DeviceTensor(DType dtype, std::vector<std::int64_t> shape, Device device)
    : impl_(std::make_unique<Impl>(dtype, std::move(shape), device)) {}
DeviceTensor::DeviceTensor(const Tensor& host, Device device) : DeviceTensor(host.dtype(), host.shape(), device) {
  upload(host);
}
DeviceTensor::~DeviceTensor() = default;
DeviceTensor::DeviceTensor(DeviceTensor&&) noexcept = default;
DeviceTensor& DeviceTensor::operator=(DeviceTensor&&) noexcept = default;

DType DeviceTensor::dtype() const { return impl_->dtype; }
const std::vector<std::int64_t>& DeviceTensor::shape() const { return impl_->shape; }
Device DeviceTensor::device() const { return impl_->device; }
TensorView DeviceTensor::view() const { return {impl_->memory, impl_->dtype, impl_->shape, {}, impl_->device}; }

void DeviceTensor::upload(const Tensor& host) {
  if (host.dtype() != dtype() || host.shape() != shape())
    throw Error(ErrorKind::user, "only a tensor of the same dtype and shape can be uploaded");
  impl_->copy(impl_->memory, host.data(), CopyKind::host_to_device);
}

Tensor DeviceTensor::download() const {
  Tensor host(dtype(), shape());
  impl_->copy(host.data(), impl_->memory, CopyKind::device_to_host);
  return host;
}

}  // namespace jitney
