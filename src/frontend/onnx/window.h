// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "frontend/onnx/node_context.h"

namespace jitney::onnx {

/// The attributes that convolution and pooling share, complete and checked. One entry a spatial axis; pads has
/// the beginnings, then the ends.
struct Window {
  std::vector<std::int64_t> kernel, strides, dilations, pads;

  std::int64_t reach(std::size_t i) const { return dilations[i] * (kernel[i] - 1) + 1; }
};

/// input: [n, c, spatial...] of rank 3 or more. auto_pad SAME with a stride needs constant extents, because the
/// padding would depend on them. Without `resolve`, it is checked and left to the caller.
Expected<Window> read_window(NodeContext& c, const ir::Shape& input, std::vector<std::int64_t> kernel,
                             bool resolve = true);

/// The extents of a convolution's kernel, from its weight, whose first two axes are `channels`; checked against input 0
/// and the attribute kernel_shape.
Expected<std::vector<std::int64_t>> kernel_of(NodeContext& c, int weight_input, const char* channels);

/// Extents of pooling's output; with `ceil`, a last window that is cut off counts if it starts inside the input or
/// its left padding.
ir::Shape pooled_shape(NodeContext& c, const ir::Shape& input, const Window& window, bool ceil);

}  // namespace jitney::onnx
