// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <c10/core/Device.h>
#include <jitney/stream.h>
#include <jitney/tensor.h>

#include <string>

/// torch's streams and memory of any device, through the interfaces that every device of torch implements: this library
/// is built without CUDA and works with it.
namespace jitney::torch_runtime {

/// Throws c10::Error for devices that Jitney has not.
Device to_device(c10::Device device);
c10::Device to_torch(Device device);
/// "cpu", "cuda:1".
Device parse_device(const std::string& text);

/// torch's current stream there; 0 on a CPU.
StreamHandle current_stream(Device device);

/// From now on Jitney allocates from torch's caching allocator of that device. Once a device; does nothing on a CPU.
void use_torch_allocator(Device device);

}  // namespace jitney::torch_runtime
