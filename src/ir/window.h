// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "ir/checked.h"
#include "ir/graph.h"
#include "ir/strided.h"

namespace jitney::ir {

/// How a convolution's or a pooling's windows lie along one spatial axis: output o and kernel position p meet at input
/// o * stride + p * dilation - pad. Extents and attributes are below 2^31 where there is anything to compute.
struct WindowAxis {
  std::int64_t in, out, kernel, stride, dilation, pad_begin, pad_end;

  std::int64_t at(std::int64_t o, std::int64_t p) const { return o * stride + p * dilation - pad_begin; }
  bool is_inside(std::int64_t i) const { return i >= 0 && i < in; }
  /// The outputs [first, last) for which kernel position p lies inside the input.
  std::int64_t first(std::int64_t p) const {
    return std::clamp<std::int64_t>(*floor_div(pad_begin - p * dilation + stride - 1, stride), 0, out);
  }
  std::int64_t last(std::int64_t p) const {
    return std::clamp<std::int64_t>(*floor_div(in - 1 + pad_begin - p * dilation, stride) + 1, 0, out);
  }
};

inline std::vector<WindowAxis> window_axes(const Node& node, const Extents& x, const Extents& y,
                                           const Extents& kernel) {
  const auto &strides = node.integers("strides"), &dilations = node.integers("dilations"),
             &pads = node.integers("pads");
  std::vector<WindowAxis> axes;
  for (std::size_t i = 0; i < kernel.size(); ++i) {
    axes.push_back({x[2 + i], y[2 + i], kernel[i], strides[i], dilations[i], pads[i], pads[kernel.size() + i]});
  }
  return axes;
}

}  // namespace jitney::ir
