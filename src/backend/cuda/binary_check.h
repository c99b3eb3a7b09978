// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "util/expected.h"

namespace jitney::backend::cuda {

/// What may be given to cuModuleLoadData, which takes an address and no size: a copy that ends with a zero byte.
/// Error(environment) unless the bytes are a cubin (64-bit ELF for CUDA) whose tables lie inside them, or PTX. This
/// guards against reading past the end; whether the code is sound is said by whoever verified it.
Expected<std::vector<std::byte>> checked_copy(std::span<const std::byte> binary);

}  // namespace jitney::backend::cuda
