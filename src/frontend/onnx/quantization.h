// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include "frontend/onnx/node_context.h"

namespace jitney::onnx {

/// Whether values are quantized to it: i8, u8, i16 and u16.
bool is_quantized(DType dtype);

/// saturate(round half to even(x) + zero_point) as `to`. x: f32, a number of steps; zero_point: of any dtype, or
/// kNoValue for 0; it broadcasts to x.
ir::ValueId saturated(GraphBuilder& b, ir::ValueId x, ir::ValueId zero_point, DType to);

/// x - zero_point in i32, which is exact for 8 and 16 bits. zero_point as above.
ir::ValueId centered(GraphBuilder& b, ir::ValueId x, ir::ValueId zero_point);

/// A parameter with one element, or one for each index of an axis of a tensor of that rank, shaped so that it
/// broadcasts. Fails (user) if it has another number of elements than the axis. `what`: "x_zero_point".
Expected<ir::ValueId> per_axis(NodeContext& c, int input, const ir::Shape& shape, int axis, std::string_view what);

}  // namespace jitney::onnx
