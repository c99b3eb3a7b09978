// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <jitney/tensor.h>

#include "runtime/kernel_set.h"

namespace jitney::runtime {

/// Loads the backend of a device and asks about it. Errors are the environment's: no such device, no plugin.
Expected<Target> open_target(Device device);

}  // namespace jitney::runtime
