// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "bindings/devices.h"

#include <jitney/error.h>

namespace jitney::python {

Device parse_device(const std::string& text) {
  const auto colon = text.find(':');
  const std::string name = text.substr(0, colon);
  Device device;
  if (name == "cuda") {
    device.type = Device::Type::cuda;
  } else if (name == "null") {
    device.type = Device::Type::null;
  } else if (name != "cpu") {
    throw Error(ErrorKind::user, "there is no device '" + text + "'; 'cpu' and 'cuda:INDEX' are devices");
  }
  if (colon == std::string::npos) return device;
  const std::string index = text.substr(colon + 1);
  if (index.empty() || index.size() > 4 || index.find_first_not_of("0123456789") != std::string::npos)
    throw Error(ErrorKind::user, "there is no device '" + text + "'; an index is a number, as in 'cuda:0'");
  device.index = std::stoi(index);
  return device;
}

}  // namespace jitney::python
