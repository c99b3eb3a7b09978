// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "runtime/strided.h"

#include <cstring>
#include <vector>

namespace jitney::runtime {

void copy_strided(DType dtype, std::span<const std::int64_t> shape, const void* from,
                  std::span<const std::int64_t> strides, void* to) {
  const auto size = static_cast<std::int64_t>(size_of(dtype));
  for (auto e : shape)
    if (e == 0) return;
  if (shape.empty()) {
    std::memcpy(to, from, static_cast<std::size_t>(size));
    return;
  }
  const std::size_t last = shape.size() - 1;
  std::vector<std::int64_t> index(shape.size(), 0);
  const char* row = static_cast<const char*>(from);
  char* out = static_cast<char*>(to);
  for (;;) {
    if (strides[last] == 1) {
      std::memcpy(out, row, static_cast<std::size_t>(size * shape[last]));
      out += size * shape[last];
    } else {
      const char* p = row;
      for (std::int64_t i = 0; i < shape[last]; ++i, p += strides[last] * size, out += size)
        std::memcpy(out, p, static_cast<std::size_t>(size));
    }
    std::size_t d = last;
    while (d-- > 0) {
      row += strides[d] * size;
      if (++index[d] < shape[d]) break;
      row -= strides[d] * size * shape[d];
      index[d] = 0;
    }
    if (d == static_cast<std::size_t>(-1)) return;
  }
}

std::pair<std::int64_t, std::int64_t> reach(std::span<const std::int64_t> shape,
                                            std::span<const std::int64_t> strides) {
  std::int64_t low = 0, high = 0;
  for (std::size_t d = 0; d < strides.size(); ++d) {
    const std::int64_t last = (shape[d] - 1) * strides[d];
    (last < 0 ? low : high) += last;
  }
  return {low, high};
}

bool is_contiguous(const TensorView& v) {
  if (v.strides.empty()) return true;
  for (auto e : v.shape)
    if (e == 0) return true;
  std::int64_t step = 1;
  for (std::size_t i = v.shape.size(); i-- > 0;) {
    if (v.shape[i] != 1 && v.strides[i] != step) return false;
    step *= v.shape[i];
  }
  return true;
}

}  // namespace jitney::runtime
