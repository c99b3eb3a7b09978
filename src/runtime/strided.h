// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <utility>

#include <jitney/tensor.h>

namespace jitney::runtime {

/// Copies a strided tensor (element strides, any sign) to row-major memory. `from` points at element [0, 0, ...].
void copy_strided(DType dtype, std::span<const std::int64_t> shape, const void* from,
                  std::span<const std::int64_t> strides, void* to);

/// The lowest and the highest element that a tensor without extents of 0 has, counted from element [0, 0, ...].
std::pair<std::int64_t, std::int64_t> reach(std::span<const std::int64_t> shape, std::span<const std::int64_t> strides);

/// Whether a view is row-major without gaps. Extents of 1 and empty tensors are, whatever their strides.
bool is_contiguous(const TensorView& view);

}  // namespace jitney::runtime
