// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "ir/strided.h"

#include <algorithm>
#include <limits>

namespace jitney::ir {

Extents row_major_strides(const Extents& shape) {
  Extents strides(shape.size());
  std::int64_t stride = 1;
  const bool empty = std::find(shape.begin(), shape.end(), 0) != shape.end();
  for (std::size_t axis = shape.size(); axis-- > 0;) {
    strides[axis] = stride;
    if (!empty) stride *= shape[axis];  // nobody steps through an empty tensor, whose other extents may be huge
  }
  return strides;
}

std::optional<Extents> broadcast_strides(const Extents& from, const Extents& to) {
  if (from.size() > to.size()) return std::nullopt;
  const Extents strides = row_major_strides(from);
  const std::size_t missing = to.size() - from.size();
  Extents result(to.size(), 0);
  for (std::size_t axis = 0; axis < from.size(); ++axis) {
    if (from[axis] == to[missing + axis]) {
      result[missing + axis] = strides[axis];
    } else if (from[axis] != 1) {
      return std::nullopt;
    }
  }
  return result;
}

std::int64_t count(const Extents& shape, std::size_t begin, std::size_t end) {
  std::int64_t product = 1;
  for (std::size_t axis = begin; axis < end; ++axis) {
    if (__builtin_mul_overflow(product, shape[axis], &product)) return std::numeric_limits<std::int64_t>::max();
  }
  return product;
}

}  // namespace jitney::ir
