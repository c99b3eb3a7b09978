// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "frontend/onnx/graph_builder.h"

namespace jitney::onnx {

/// Casts from and to the dtypes that are only stored (is_storage_only), composed of operators on their bits, so that
/// they fuse with what is around them on every device.

/// What x's elements stand for: f32 for floats, i8 or u8 for integers. x itself where its dtype is computed in.
ir::ValueId widened(GraphBuilder& b, ir::ValueId x);

/// How numbers become floats of 8 bits and fewer.
struct NarrowingRules {
  bool saturate = true;           ///< beyond the largest: the largest, else infinity or NaN
  std::string round_mode = "up";  ///< of powers of two (f8e8m0): up, down or nearest
};

/// x (of a dtype that is computed in) as `to`, which is only stored. Floats round half to even; integers keep their low
/// bits.
ir::ValueId narrowed(GraphBuilder& b, ir::ValueId x, DType to, const NarrowingRules& rules = {});

/// Bits of one element in a model's file: 2, 4 or 8 for dtypes that are only stored.
int stored_bits(DType dtype);

}  // namespace jitney::onnx
