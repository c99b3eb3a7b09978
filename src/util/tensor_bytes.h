// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include <jitney/dtype.h>

namespace jitney {

/// Bytes of a row-major tensor. An extent of 0 makes it empty, however large the others are. Throws Error(user) on a
/// negative extent or when the count overflows.
std::size_t checked_bytes(DType dtype, const std::vector<std::int64_t>& shape);

}  // namespace jitney
