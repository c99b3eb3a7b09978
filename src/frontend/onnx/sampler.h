// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "frontend/onnx/arithmetic.h"

namespace jitney::onnx {

/// One of the places along an axis that a sample is a weighted sum of; values of shape [n, 1, samples].
struct SampleTap {
  ir::ValueId index = ir::kNoValue;   ///< i64, inside the axis
  ir::ValueId weight = ir::kNoValue;  ///< of the data's dtype; kNoValue for 1
  ir::ValueId valid = ir::kNoValue;   ///< boolean: elsewhere it counts as 0; kNoValue where it always is
};

/// One axis of the data: its extent, and the taps of each sample along it.
struct SampleAxis {
  ir::Dim extent;
  std::vector<SampleTap> taps;
};

/// What a combination of one tap an axis contributes: how samplers join them.
enum class SampleJoin { sum, max };

/// Samples of data [n, c, product of the axes' extents] at places that are data: [n, c, samples]. One gather for each
/// combination of taps. `samples` are their number, `m` computes in the data's dtype.
ir::ValueId sample(const Arithmetic& m, ir::ValueId data, const std::vector<SampleAxis>& axes, const ir::Dim& samples,
                   SampleJoin join = SampleJoin::sum);

/// The two taps of linear interpolation at x (f32 or f64): places outside the axis count as 0.
std::vector<SampleTap> linear_taps_with_zeros(const Arithmetic& m, ir::ValueId x, const ir::Dim& extent);

/// x as an index that is inside the axis for certain.
ir::ValueId index_inside(const Arithmetic& m, ir::ValueId x, const ir::Dim& extent);
/// 0 <= x <= extent - 1
ir::ValueId is_inside(const Arithmetic& m, ir::ValueId x, const ir::Dim& extent);

}  // namespace jitney::onnx
