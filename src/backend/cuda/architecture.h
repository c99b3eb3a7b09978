// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "backend/backend.h"
#include "util/expected.h"

/// What a GPU's compute capability means for compiling.
namespace jitney::backend::cuda {

/// Of all memory on a GPU.
inline constexpr std::size_t kMemoryAlignment = 256;

/// The newest architecture that CUDA 13.0 makes machine code for. For newer devices PTX is compiled, which their driver
/// translates when it loads it.
inline constexpr int kNewestArchitecture = 121;

/// "sm_90"; "sm_130+ptx" for a device that is newer than kNewestArchitecture.
std::string target_key(int major, int minor);

/// Compute capabilities of GPUs that machine code is made for, as NN of "sm_NN", oldest first.
std::span<const int> architectures();

/// The GPU that a target_key() names, which need not be here: its compute capability as NN. Error(user) that says what
/// is allowed: sm_NN of architectures(), or sm_NNN+ptx of a newer one. `source` says where the text came from.
Expected<int> parse_target(std::string_view text, std::string_view source);

/// For jitney-compiler-nvrtc, complete. Arithmetic is exact as far as CUDA has it: no fast-math, IEEE division and
/// square root, denormals kept; a product and a sum may become one fused operation.
std::vector<std::string> compiler_options(int major, int minor);

/// What is the same for all GPUs of a compute capability: all that generated kernels and their keys depend on.
DeviceInfo describe_architecture(int major, int minor);

}  // namespace jitney::backend::cuda
