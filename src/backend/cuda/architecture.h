// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

/// What a GPU's compute capability means for compiling.
namespace jitney::backend::cuda {

/// The newest architecture that CUDA 13.0 makes machine code for. For newer devices PTX is compiled, which their driver
/// translates when it loads it.
inline constexpr int kNewestArchitecture = 121;

/// "sm_90"; "sm_130+ptx" for a device that is newer than kNewestArchitecture.
std::string target_key(int major, int minor);

/// For jitney-compiler-nvrtc, complete. Arithmetic is exact as far as CUDA has it: no fast-math, IEEE division and
/// square root, denormals kept; a product and a sum may become one fused operation.
std::vector<std::string> compiler_options(int major, int minor);

}  // namespace jitney::backend::cuda
