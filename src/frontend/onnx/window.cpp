// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "frontend/onnx/window.h"

#include <fmt/ranges.h>

#include <algorithm>

namespace jitney::onnx {
namespace {

using ir::Dim;
using ir::Shape;

Status check_list(NodeContext& c, const char* name, const std::vector<std::int64_t>& list, std::size_t size,
                  std::int64_t low) {
  if (list.size() != size) return c.error("{} has {} entries; {} are needed", name, list.size(), size);
  for (const std::int64_t entry : list) {
    if (entry < low || entry > INT32_MAX)
      return c.error("{} has the entry {}; allowed are {} to {}", name, entry, low, INT32_MAX);
  }
  return {};
}

}  // namespace

Expected<Window> read_window(NodeContext& c, const Shape& input, std::vector<std::int64_t> kernel, bool resolve) {
  if (input.size() < 3) return c.error("its input must be [n, c, spatial...], not {}", ir::to_string(input));
  const std::size_t spatial = input.size() - 2;
  const std::vector<std::int64_t> ones(spatial, 1);
  Window w;
  w.kernel = std::move(kernel);
  w.strides = c.integer_list("strides").value_or(ones);
  w.dilations = c.integer_list("dilations").value_or(ones);
  w.pads = c.integer_list("pads").value_or(std::vector<std::int64_t>(2 * spatial, 0));
  const std::string auto_pad = c.text("auto_pad", "NOTSET");
  JITNEY_CHECK(check_list(c, "kernel_shape", w.kernel, spatial, 1));
  JITNEY_CHECK(check_list(c, "strides", w.strides, spatial, 1));
  JITNEY_CHECK(check_list(c, "dilations", w.dilations, spatial, 1));
  JITNEY_CHECK(check_list(c, "pads", w.pads, 2 * spatial, 0));
  if (auto_pad == "NOTSET") return w;
  std::fill(w.pads.begin(), w.pads.end(), 0);
  if (auto_pad == "VALID") return w;
  if (auto_pad != "SAME_UPPER" && auto_pad != "SAME_LOWER")
    return c.error("auto_pad is '{}'; NOTSET, VALID, SAME_UPPER and SAME_LOWER are allowed", auto_pad);
  if (!resolve) return w;
  for (std::size_t i = 0; i < spatial; ++i) {
    std::int64_t total = w.reach(i) - 1;
    if (w.strides[i] != 1) {
      const auto extent = input[2 + i].constant();
      if (!extent)
        return c.error("auto_pad {} with stride {} needs a constant extent on axis {}", auto_pad, w.strides[i], 2 + i);
      const std::int64_t out = (*extent + w.strides[i] - 1) / w.strides[i];
      total = std::max<std::int64_t>((out - 1) * w.strides[i] + w.reach(i) - *extent, 0);
    }
    const std::int64_t smaller = total / 2;
    w.pads[i] = auto_pad == "SAME_UPPER" ? smaller : total - smaller;
    w.pads[spatial + i] = total - w.pads[i];
  }
  return w;
}

Shape pooled_shape(NodeContext& c, const Shape& input, const Window& w, bool ceil) {
  const std::size_t spatial = input.size() - 2;
  Shape shape{input[0], input[1]};
  for (std::size_t i = 0; i < spatial; ++i) {
    const Dim& extent = input[2 + i];
    const Dim padded = extent + Dim(w.pads[i] + w.pads[spatial + i]);
    const Dim room = padded - Dim(w.reach(i));
    const Dim stride(w.strides[i]);
    c.b.require(ir::Guard::Relation::less_equal, Dim(w.reach(i)), padded,
                fmt::format("{}: the window is {} long on axis {}, more than the padded input's {}", c.label(),
                            w.reach(i), 2 + i, padded.to_string()));
    if (ceil) {
      const Dim all = Dim::ceildiv(room, stride) + Dim(1);
      const Dim starting_inside = Dim::ceildiv(extent + Dim(w.pads[i]), stride);
      shape.push_back(min_of(all, starting_inside, c.b.symbols()));
    } else {
      shape.push_back(Dim::floordiv(room, stride) + Dim(1));
    }
  }
  return shape;
}

Expected<std::vector<std::int64_t>> kernel_of(NodeContext& c, int weight_input, const char* channels) {
  const ir::Shape& weight = c.shape(weight_input);
  if (weight.size() < 3 || c.rank(0) != c.rank(weight_input)) {
    return c.error("its input must be [n, c, spatial...] and its weight [{}, kernel...]; they are {} and {}", channels,
                   ir::to_string(c.shape(0)), ir::to_string(weight));
  }
  std::vector<std::int64_t> kernel;
  for (std::size_t i = 2; i < weight.size(); ++i) {
    const auto extent = weight[i].constant();
    if (!extent) return c.error("the kernel's extents must be constant; its weight is {}", ir::to_string(weight));
    kernel.push_back(*extent);
  }
  if (const auto declared = c.integer_list("kernel_shape"); declared && *declared != kernel) {
    return c.error("kernel_shape [{}] contradicts its weight {}", fmt::join(*declared, ", "), ir::to_string(weight));
  }
  return kernel;
}

}  // namespace jitney::onnx
