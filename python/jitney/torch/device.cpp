// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "jitney/torch/device.h"

#include <c10/core/impl/VirtualGuardImpl.h>
#include <c10/util/Exception.h>

namespace jitney::torch_runtime {

Device to_device(c10::Device device) {
  if (device.is_cpu()) return {Device::Type::cpu, 0};
  TORCH_CHECK_VALUE(device.is_cuda(), "Jitney runs on 'cpu' and 'cuda', found '", device.str(), "'");
  return {Device::Type::cuda, device.has_index() ? device.index() : std::int32_t{0}};
}

c10::Device to_torch(Device device) {
  if (device.type == Device::Type::cuda) return {c10::kCUDA, static_cast<c10::DeviceIndex>(device.index)};
  return c10::Device(c10::kCPU);
}

Device parse_device(const std::string& text) { return to_device(c10::Device(text)); }

StreamHandle current_stream(Device device) {
  if (device.type != Device::Type::cuda) return 0;
  const c10::Device there = to_torch(device);
  const c10::impl::VirtualGuardImpl guard(there.type());
  return reinterpret_cast<StreamHandle>(guard.getStream(there).native_handle());
}

}  // namespace jitney::torch_runtime
