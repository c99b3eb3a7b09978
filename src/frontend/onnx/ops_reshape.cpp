// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
// Operators that change the shape and not the order of elements, and Expand.
#include <algorithm>

#include "frontend/onnx/registry.h"

namespace jitney::onnx {
namespace {

using ir::Dim;
using ir::Guard;
using ir::Shape;

/// Gives the input the shape, as data or as a shape tensor.
Status reshaped(NodeContext& c, Shape shape) {
  if (c.known(0)) {
    ShapeTensor result{{}, c.known(0)->values};
    Dim count(1);
    for (const Dim& extent : shape) {
      count = count * extent;
      if (const auto constant = extent.constant()) result.shape.push_back(*constant);
    }
    if (result.shape.size() == shape.size() && count.is(static_cast<std::int64_t>(result.values.size())) &&
        c.set_known(0, c.dtype(0), std::move(result)))
      return {};
  }
  if (shape == c.shape(0)) return c.set(0, c.input_pointer(0));
  return c.set(0, c.b.reshape(c.value(0), std::move(shape)));
}

/// The extent that stands for -1: all elements over those of the other axes. A 0 among the others leaves it open.
Expected<Dim> inferred_extent(NodeContext& c, const Shape& others) {
  const Dim total = ir::product(c.shape(0));
  const Dim known = ir::product(others);
  if (known.is(0)) return c.error("-1 in the shape cannot be inferred beside an extent of 0");
  if (auto exact = Dim::divide_exactly(total, known)) return *exact;
  c.b.require(Guard::Relation::divides, known, total,
              fmt::format("{}: {} elements must be a multiple of {}, the product of the known extents", c.label(),
                          total.to_string(), known.to_string()));
  return Dim::floordiv(total, known);
}

Status reshape(NodeContext& c) {
  const bool zero_is_zero = c.integer("allowzero", 0) != 0;
  const Shape from = c.shape(0);
  if (!c.known(1)) {
    // What -1 and 0 mean is decided when the shape is there.
    JITNEY_TRY(const std::int64_t rank, c.element_count(1, "the shape"));
    std::vector<Dim> given{Dim(static_cast<std::int64_t>(zero_is_zero))};
    given.insert(given.end(), from.begin(), from.end());
    return reshaped(c, c.b.read_dims("reshape", {c.value(1)}, std::move(given), static_cast<std::size_t>(rank)));
  }
  std::vector<Dim> target;
  JITNEY_TRY(target, c.dims(1, "the shape"));
  std::optional<std::size_t> open;
  Shape others;
  for (std::size_t axis = 0; axis < target.size(); ++axis) {
    if (target[axis].is(-1)) {
      if (open) return c.error("its shape has -1 twice");
      open = axis;
      continue;
    }
    if (target[axis].is(0) && !zero_is_zero) {
      if (axis >= from.size())
        return c.error("0 on axis {} of its shape copies an extent that {} does not have", axis, ir::to_string(from));
      target[axis] = from[axis];
    }
    if (const auto constant = target[axis].constant(); constant && *constant < 0)
      return c.error("its shape has the extent {}", *constant);
    others.push_back(target[axis]);
  }
  if (open) {
    JITNEY_TRY(target[*open], inferred_extent(c, others));
  }
  return reshaped(c, std::move(target));
}

Status flatten(NodeContext& c) {
  const int rank = c.rank(0);
  const std::int64_t given = c.integer("axis", 1);
  if (given < -rank || given > rank) return c.error("axis {} is outside [{}, {}]", given, -rank, rank);
  const auto axis = static_cast<std::ptrdiff_t>(given < 0 ? given + rank : given);
  const Shape& from = c.shape(0);
  return reshaped(c,
                  {ir::product({from.begin(), from.begin() + axis}), ir::product({from.begin() + axis, from.end()})});
}

/// Axes as attribute (before opset 13) or as input; nothing when neither is there.
Expected<std::optional<std::vector<std::int64_t>>> given_axes(NodeContext& c) {
  if (c.opset < 13) return c.integer_list("axes");
  if (!c.has(1)) return std::nullopt;
  JITNEY_TRY(auto axes, c.integers(1, "axes"));
  return axes;
}

Status squeeze(NodeContext& c) {
  JITNEY_TRY(const auto given, given_axes(c));
  const Shape& from = c.shape(0);
  std::vector<std::int64_t> axes;
  if (given) {
    JITNEY_TRY(axes, c.axes(*given, c.rank(0)));
  } else {
    // The rank must be known now, so only extents that are 1 for certain go.
    for (std::size_t axis = 0; axis < from.size(); ++axis) {
      if (from[axis].is(1)) axes.push_back(static_cast<std::int64_t>(axis));
    }
  }
  Shape to;
  for (std::size_t axis = 0; axis < from.size(); ++axis) {
    if (!std::binary_search(axes.begin(), axes.end(), static_cast<std::int64_t>(axis))) {
      to.push_back(from[axis]);
    } else {
      c.b.require(Guard::Relation::equal, from[axis], Dim(1),
                  fmt::format("{}: axis {} of {} must be 1 to be squeezed", c.label(), axis, ir::to_string(from)));
    }
  }
  return reshaped(c, std::move(to));
}

Status unsqueeze(NodeContext& c) {
  JITNEY_TRY(const auto given, given_axes(c));
  if (!given) return c.error("its axes are missing");
  JITNEY_TRY(const auto axes, c.axes(*given, c.rank(0) + static_cast<int>(given->size())));
  Shape to = c.shape(0);
  for (const std::int64_t axis : axes) to.insert(to.begin() + axis, Dim(1));
  return reshaped(c, std::move(to));
}

Status expand(NodeContext& c) {
  if (!c.known(1)) {
    JITNEY_TRY(const std::int64_t rank, c.element_count(1, "the shape"));
    const Shape from = c.shape(0);
    const std::size_t wide = std::max(from.size(), static_cast<std::size_t>(rank));
    const Shape to = c.b.read_dims("expand", {c.value(1)}, from, wide);
    for (std::size_t i = 0; i < from.size(); ++i) {
      if (from[i].is(1)) continue;
      c.b.require(Guard::Relation::equal, from[i], to[wide - from.size() + i],
                  fmt::format("{}: {} is expanded to {}", c.label(), ir::to_string(from), ir::to_string(to)));
    }
    return c.set(0, c.b.expand(c.value(0), to));
  }
  JITNEY_TRY(const auto target, c.dims(1, "the shape"));
  for (const Dim& extent : target) {
    if (const auto constant = extent.constant(); constant && *constant < 0)
      return c.error("its shape has the extent {}", *constant);
  }
  JITNEY_TRY(Shape shape, ir::broadcast(c.shape(0), target, c.b.node_name(), c.b.graph.guards));
  if (shape == c.shape(0)) return c.set(0, c.input_pointer(0));
  if (c.known(0)) {
    std::vector<std::int64_t> constant;
    for (const Dim& extent : shape) constant.push_back(extent.constant().value_or(-1));
    const bool fixed = std::find(constant.begin(), constant.end(), -1) == constant.end();
    if (fixed && ir::product(shape).constant().value_or(kMaxKnownElements + 1) <= kMaxKnownElements) {
      ShapeTensor ones{constant, std::vector<Dim>(static_cast<std::size_t>(*ir::product(shape).constant()), Dim(0))};
      auto result = zip(*c.known(0), ones, [](const Dim& a, const Dim&) { return a; });
      if (result && c.set_known(0, c.dtype(0), std::move(*result))) return {};
    }
  }
  return c.set(0, c.b.expand(c.value(0), std::move(shape)));
}

}  // namespace

std::span<const OperatorRow> reshape_operators() {
  static constexpr OperatorRow kRows[] = {
      {"Reshape", 5, 2, 2, reshape},     {"Flatten", 1, 1, 1, flatten}, {"Squeeze", 1, 1, 2, squeeze},
      {"Unsqueeze", 1, 1, 2, unsqueeze}, {"Expand", 8, 2, 2, expand},
  };
  return kRows;
}

}  // namespace jitney::onnx
