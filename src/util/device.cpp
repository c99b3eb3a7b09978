// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <jitney/tensor.h>

namespace jitney {

std::string to_string(Device device) {
  switch (device.type) {
    case Device::Type::cpu: return device.index == 0 ? "cpu" : fmt::format("cpu:{}", device.index);
    case Device::Type::cuda: return fmt::format("cuda:{}", device.index);
    case Device::Type::null: return device.index == 0 ? "null" : fmt::format("null:{}", device.index);
  }
  return fmt::format("device {}:{}", static_cast<int>(device.type), device.index);
}

}  // namespace jitney
