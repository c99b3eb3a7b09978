// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "runtime/target.h"

#include "backend/registry.h"

namespace jitney::runtime {

Expected<Target> open_target(Device device) {
  const char* name = device.type == Device::Type::cpu ? "cpu" : device.type == Device::Type::cuda ? "cuda" : "null";
  JITNEY_TRY(backend::Backend * b, backend::load_backend(name).map_error([&](Failure f) {
    if (device.type != Device::Type::cpu) f.message += "; --device cpu needs no driver";
    return f;
  }));
  if (device.index < 0 || device.index >= b->device_count())
    return environment_error("there is no device {}: the {} backend sees {}", to_string(device), name,
                             b->device_count());
  JITNEY_TRY(auto device_info, b->device_info(device.index));
  return Target{b, device.index, std::move(device_info)};
}

}  // namespace jitney::runtime
