// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <jitney/tensor.h>

#include <cstdint>
#include <vector>

namespace jitney::cli {

/// A tensor that depends on the arguments only: floating point is normal with mean 0 and deviation 1, integers are
/// 0 to 9 (valid indices into most tables), booleans 0 or 1, each as likely. Throws Error as Tensor does.
Tensor random_tensor(DType dtype, std::vector<std::int64_t> shape, std::uint64_t seed);

}  // namespace jitney::cli
