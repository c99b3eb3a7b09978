// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>

#include <jitney/tensor.h>

namespace jitney::runtime {

/// Copies a strided tensor (element strides, any sign) to row-major memory. `from` points at element [0, 0, ...].
void copy_strided(DType dtype, std::span<const std::int64_t> shape, const void* from,
                  std::span<const std::int64_t> strides, void* to);

/// Whether a view is row-major without gaps. Extents of 1 and empty tensors are, whatever their strides.
bool is_contiguous(const TensorView& view);

}  // namespace jitney::runtime
