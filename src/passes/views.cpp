// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "passes/views.h"

namespace jitney::passes {

using ir::Dim;
using ir::Op;
using ir::Shape;

std::vector<Dim> contiguous_strides(const Shape& shape) {
  std::vector<Dim> strides(shape.size());
  Dim step = 1;
  for (std::size_t i = shape.size(); i-- > 0;) {
    strides[i] = shape[i].is(1) ? Dim(0) : step;  // an extent of 1 never moves: 0 lets axes merge
    step = step * shape[i];
  }
  return strides;
}

namespace {

struct Axis {
  Dim extent, stride;
};

std::vector<Axis> without_ones(const Shape& shape, const std::vector<Dim>& strides) {
  std::vector<Axis> axes;
  for (std::size_t i = 0; i < shape.size(); ++i)
    if (!shape[i].is(1)) axes.push_back({shape[i], strides[i]});
  return axes;
}

/// Axes are matched in the smallest groups with equal products on both sides; within a group the input's axes
/// must lie side by side, and then the output's axes split the merged one.
std::optional<std::vector<Dim>> reshape_strides(const Shape& from, const std::vector<Dim>& strides, const Shape& to) {
  auto in = without_ones(from, strides);
  std::vector<std::size_t> out;  // axes of `to` with an extent other than 1
  for (std::size_t j = 0; j < to.size(); ++j)
    if (!to[j].is(1)) out.push_back(j);
  std::vector<Dim> result(to.size(), Dim(0));
  std::size_t i = 0, j = 0;
  while (i < in.size() || j < out.size()) {
    std::size_t i_end = in.size(), j_end = out.size();
    // Find the nearest pair of prefixes with equal products; at the worst everything is one group, whose
    // element counts agree because the reshape is legal.
    Dim in_product = 1;
    bool found = false;
    for (std::size_t a = i; a < in.size() && !found; ++a) {
      in_product = in_product * in[a].extent;
      Dim out_product = 1;
      for (std::size_t b = j; b < out.size(); ++b) {
        out_product = out_product * to[out[b]];
        if (out_product == in_product) {
          i_end = a + 1;
          j_end = b + 1;
          found = true;
          break;
        }
      }
    }
    if (i == i_end) return std::nullopt;  // output axes without input axes: extents unknown to be 1
    for (std::size_t a = i; a + 1 < i_end; ++a)
      if (!(in[a].stride == in[a + 1].extent * in[a + 1].stride)) return std::nullopt;
    Dim step = in[i_end - 1].stride;
    for (std::size_t b = j_end; b-- > j;) {
      result[out[b]] = step;
      step = step * to[out[b]];
    }
    i = i_end;
    j = j_end;
  }
  return result;
}

}  // namespace

std::optional<StridedView> view_through(const ir::Graph& graph, const ir::Node& node, const StridedView& input) {
  const Shape& from = graph.value(node.inputs[0]).shape;
  const Shape& to = graph.value(node.outputs[0]).shape;
  StridedView view{input.root, input.offset, {}};
  switch (node.op) {
    case Op::reshape: {
      auto strides = reshape_strides(from, input.strides, to);
      if (!strides) return std::nullopt;
      view.strides = std::move(*strides);
      return view;
    }
    case Op::permute:
      for (auto axis : node.integers("perm")) view.strides.push_back(input.strides[static_cast<std::size_t>(axis)]);
      return view;
    case Op::expand: {
      std::size_t added = to.size() - from.size();
      for (std::size_t i = 0; i < to.size(); ++i) {
        bool broadcast = i < added || (from[i - added].is(1) && !to[i].is(1));
        view.strides.push_back(broadcast ? Dim(0) : input.strides[i - added]);
      }
      return view;
    }
    case Op::slice: {
      const auto& starts = node.dims("starts");
      const auto& steps = node.dims("steps");
      for (std::size_t i = 0; i < to.size(); ++i) {
        view.offset = view.offset + starts[i] * input.strides[i];
        view.strides.push_back(to[i].is(1) ? Dim(0) : steps[i] * input.strides[i]);
      }
      return view;
    }
    default: return std::nullopt;
  }
}

Expected<std::vector<StridedView>> compute_views(const ir::Graph& graph) {
  std::vector<StridedView> views(graph.values.size());
  for (std::size_t i = 0; i < graph.values.size(); ++i)
    views[i] = {static_cast<ir::ValueId>(i), Dim(0), contiguous_strides(graph.values[i].shape)};
  for (const auto& node : graph.nodes) {
    if (info(node.op).family != ir::OpFamily::view) continue;
    auto view = view_through(graph, node, views[static_cast<std::size_t>(node.inputs[0])]);
    if (!view) return internal_error("view '{}' in a fused graph has no strides", node.name);
    views[static_cast<std::size_t>(node.outputs[0])] = std::move(*view);
  }
  return views;
}

}  // namespace jitney::passes
