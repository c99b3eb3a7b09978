// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include <jitney/allocator.h>
#include <jitney/device_tensor.h>

#include "runtime/constants.h"
#include "runtime/strided.h"
#include "runtime/target.h"
#include "util/expected.h"
#include "util/tensor_bytes.h"

namespace jitney {

using backend::CopyKind;

class DeviceTensor::Impl {
 public:
  /// Memory of its own.
  Impl(DType dtype, std::vector<std::int64_t> shape, Device device, StreamHandle stream)
      : Impl(dtype, std::move(shape), {}, device, stream) {
    memory = value_or_throw(runtime::allocate_for("a tensor", target, bytes, stream));
  }
  /// Somebody else's, once `memory` and `deleter` are set.
  Impl(DType dtype, std::vector<std::int64_t> shape, std::vector<std::int64_t> strides, Device device,
       StreamHandle stream)
      : dtype(dtype),
        shape(std::move(shape)),
        strides(std::move(strides)),
        device(device),
        stream(stream),
        target(value_or_throw(runtime::open_target(device))),
        bytes(checked_bytes(dtype, this->shape)) {}
  ~Impl() {
    if (!is_borrowed)
      target.backend->free(target.device, memory, bytes, stream);
    else if (deleter)
      deleter();
  }
  Impl(const Impl&) = delete;

  void copy(void* to, const void* from, std::size_t count, CopyKind kind) const {
    if (count == 0) return;
    value_or_throw(target.backend->copy(target.device, to, from, count, kind, stream));
    value_or_throw(target.backend->synchronize(target.device, stream));
  }

  const DType dtype;
  const std::vector<std::int64_t> shape, strides;
  const Device device;
  const StreamHandle stream;
  const runtime::Target target;
  const std::size_t bytes;  ///< of its elements
  void* memory = nullptr;
  bool is_borrowed = false;
  std::function<void()> deleter;
};

DeviceTensor::DeviceTensor(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
DeviceTensor::DeviceTensor(DType dtype, std::vector<std::int64_t> shape, Device device, StreamHandle stream)
    : impl_(std::make_unique<Impl>(dtype, std::move(shape), device, stream)) {}
DeviceTensor::DeviceTensor(const Tensor& host, Device device, StreamHandle stream)
    : DeviceTensor(host.dtype(), host.shape(), device, stream) {
  upload(host);
}

DeviceTensor DeviceTensor::borrow(void* data, DType dtype, std::vector<std::int64_t> shape,
                                  std::vector<std::int64_t> strides, Device device, std::function<void()> deleter,
                                  StreamHandle stream) {
  if (!strides.empty() && strides.size() != shape.size())
    throw Error(ErrorKind::user,
                fmt::format("a tensor of {} dimensions cannot have {} strides", shape.size(), strides.size()));
  auto impl = std::make_unique<Impl>(dtype, std::move(shape), std::move(strides), device, stream);
  impl->is_borrowed = true;
  if (data == nullptr && impl->bytes > 0)
    throw Error(ErrorKind::user, fmt::format("a tensor of {} bytes cannot be at a null address", impl->bytes));
  impl->memory = data;
  impl->deleter = std::move(deleter);
  return DeviceTensor(std::move(impl));
}

DeviceTensor::~DeviceTensor() = default;
DeviceTensor::DeviceTensor(DeviceTensor&&) noexcept = default;
DeviceTensor& DeviceTensor::operator=(DeviceTensor&&) noexcept = default;

DType DeviceTensor::dtype() const { return impl_->dtype; }
const std::vector<std::int64_t>& DeviceTensor::shape() const { return impl_->shape; }
const std::vector<std::int64_t>& DeviceTensor::strides() const { return impl_->strides; }
Device DeviceTensor::device() const { return impl_->device; }
TensorView DeviceTensor::view() const {
  return {impl_->memory, impl_->dtype, impl_->shape, impl_->strides, impl_->device};
}

void DeviceTensor::upload(const Tensor& host) {
  if (host.dtype() != dtype() || host.shape() != shape() || !runtime::is_contiguous(view()))
    throw Error(ErrorKind::user,
                "only a tensor of the same dtype and shape can be uploaded, and only to a row-major one");
  impl_->copy(impl_->memory, host.data(), impl_->bytes, CopyKind::host_to_device);
}

Tensor DeviceTensor::download() const {
  Tensor host(dtype(), shape());
  if (runtime::is_contiguous(view())) {
    impl_->copy(host.data(), impl_->memory, impl_->bytes, CopyKind::device_to_host);
    return host;
  }
  const auto [low, high] = runtime::reach(shape(), strides());
  const auto size = static_cast<std::int64_t>(size_of(dtype()));
  std::vector<char> all(static_cast<std::size_t>((high - low + 1) * size));
  impl_->copy(all.data(), static_cast<const char*>(impl_->memory) + low * size, all.size(), CopyKind::device_to_host);
  runtime::copy_strided(dtype(), shape(), all.data() - low * size, strides(), host.data());
  return host;
}

void set_allocator(Device device, std::shared_ptr<Allocator> allocator) {
  const auto target = value_or_throw(runtime::open_target(device));
  value_or_throw(target.backend->set_allocator(target.device, std::move(allocator)));
}

}  // namespace jitney
