// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace jitney {

/// A queue of work on a device, as the device's own library names it: for CUDA a CUstream or cudaStream_t as a number.
/// There 0 and 1 are the legacy default stream and 2 is the calling thread's default stream. A CPU has only 0.
using StreamHandle = std::uintptr_t;

}  // namespace jitney
