// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "frontend/onnx/node_context.h"

namespace jitney::onnx {

/// One axis whose extent (or part of it) is stretched.
struct ResizedAxis {
  std::size_t axis = 0;
  ir::Dim from, to;
  std::optional<double> scale;             ///< the model's own; else to / from
  ir::ValueId scale_value = ir::kNoValue;  ///< the model's own, f32, where it is data
  double roi_begin = 0, roi_end = 1;
  ir::ValueId roi_begin_value = ir::kNoValue;  ///< f32, where the region is data
  ir::ValueId roi_end_value = ir::kNoValue;
  std::optional<double> constant_scale = {};  ///< with antialiasing: what it is stretched by
};

/// What a Resize or an Upsample of any opset asks for.
struct ResizeArguments {
  std::string mode;         ///< nearest, linear or cubic
  std::string coordinates;  ///< coordinate_transformation_mode
  std::string nearest;      ///< nearest_mode, or "simple" for opset 10
  double cubic_a = -0.75;
  double extrapolation = 0;
  bool exclude_outside = false;
  std::vector<ResizedAxis> axes;  ///< those that change, ascending
};

/// Scales, sizes and the region may be data, but not with antialiasing: that, and a contradiction, is an error (user).
Expected<ResizeArguments> read_resize(NodeContext& c);

}  // namespace jitney::onnx
