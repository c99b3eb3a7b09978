// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include <jitney/tensor.h>

#include "ir/strided.h"
#include "util/expected.h"

/// Indices that are data: i32 or i64, negative ones count from the end.
namespace jitney::ir {

/// The i-th of them, in [0, extent). Fails (user) where it is outside; `axis` is for the message.
inline Expected<std::int64_t> checked_index(const Tensor& indices, std::int64_t i, std::int64_t extent,
                                            std::size_t axis) {
  const std::int64_t given =
      indices.dtype() == DType::i32 ? indices.as<std::int32_t>()[i] : indices.as<std::int64_t>()[i];
  const std::int64_t index = given < 0 ? given + extent : given;
  if (index < 0 || index >= extent)
    return user_error("index {} is outside axis {}, which allows {} to {}", given, axis, -extent, extent - 1);
  return index;
}

/// The element of data that the i-th tuple (row of the last axis) names, counted from where its batch begins: one index
/// for each axis from `batch` on.
inline Expected<std::int64_t> tuple_offset(const Tensor& indices, std::int64_t i, const Extents& data,
                                           const Extents& strides, std::size_t batch) {
  const std::int64_t k = indices.shape().back();
  std::int64_t offset = 0;
  for (std::int64_t j = 0; j < k; ++j) {
    const std::size_t axis = batch + static_cast<std::size_t>(j);
    JITNEY_TRY(const std::int64_t index, checked_index(indices, i * k + j, data[axis], axis));
    offset += index * strides[axis];
  }
  return offset;
}

}  // namespace jitney::ir
