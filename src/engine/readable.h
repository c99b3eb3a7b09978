// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <jitney/tensor.h>

#include <cstdint>
#include <string>

#include "util/expected.h"

namespace jitney::engine {

/// Whether an input's description can be read at all, whatever its dtype and shape should be. Errors (user) name it.
inline Status check_readable(const TensorView& input, const std::string& name) {
  if (!input.strides.empty() && input.strides.size() != input.shape.size())
    return user_error("input '{}' has {} strides for {} dimensions", name, input.strides.size(), input.shape.size());
  std::int64_t count = 1;
  for (const std::int64_t extent : input.shape) {
    if (extent < 0) return user_error("input '{}' has a negative extent {}", name, extent);
    if (__builtin_mul_overflow(count, extent, &count))
      return user_error("input '{}' has more elements than can be counted", name);
  }
  if (input.data == nullptr && count != 0) return user_error("input '{}' has no data", name);
  return {};
}

}  // namespace jitney::engine
