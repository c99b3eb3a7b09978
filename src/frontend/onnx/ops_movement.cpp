// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
// Transpose, Concat, Gather, Tile, Pad.
#include <algorithm>

#include "frontend/onnx/registry.h"

namespace jitney::onnx {
namespace {

using ir::Dim;
using ir::Op;
using ir::Shape;
using ir::ValueId;
using Index = std::vector<std::int64_t>;

Status transpose(NodeContext& c) {
  const int rank = c.rank(0);
  Index perm;
  for (int axis = rank; axis-- > 0;) perm.push_back(axis);
  if (auto given = c.integer_list("perm")) perm = *given;
  Index sorted = perm;
  std::sort(sorted.begin(), sorted.end());
  bool valid = static_cast<int>(perm.size()) == rank;
  for (std::size_t i = 0; valid && i < sorted.size(); ++i) valid = sorted[i] == static_cast<std::int64_t>(i);
  if (!valid)
    return c.error("perm must name each of the {} axes of its input {} once", rank, ir::to_string(c.shape(0)));
  if (c.known(0)) {
    Index shape;
    for (const std::int64_t axis : perm) shape.push_back(c.known(0)->shape[static_cast<std::size_t>(axis)]);
    ShapeTensor result = select(*c.known(0), shape, [&](const Index& to) {
      Index from(to.size());
      for (std::size_t i = 0; i < to.size(); ++i) from[static_cast<std::size_t>(perm[i])] = to[i];
      return from;
    });
    if (c.set_known(0, c.dtype(0), std::move(result))) return {};
  }
  return c.set(0, c.b.permute(c.value(0), perm));
}

Status concat(NodeContext& c) {
  std::vector<ShapeTensor> parts;
  for (int i = 0; i < c.input_count(); ++i) {
    if (!c.has(i)) return c.error("input {} is missing", i);
    if (c.known(i) && c.dtype(i) == c.dtype(0)) parts.push_back(*c.known(i));
  }
  JITNEY_TRY(const int axis, c.axis(c.integer("axis", c.opset < 4 ? 1 : 0), c.rank(0)));
  if (static_cast<int>(parts.size()) == c.input_count()) {
    if (auto result = onnx::concat(parts, axis); result && c.set_known(0, c.dtype(0), std::move(*result))) return {};
  }
  if (c.input_count() == 1) return c.set(0, c.input_pointer(0));
  std::vector<ValueId> inputs;
  for (int i = 0; i < c.input_count(); ++i) inputs.push_back(c.value(i));
  return c.set(0, c.b.node(Op::concat, std::move(inputs), {{"axis", static_cast<std::int64_t>(axis)}}));
}

bool computed_gather(NodeContext& c, int axis) {
  if (!c.known(0) || !c.known(1)) return false;
  auto indices = c.known(1)->constants();
  if (!indices) return false;
  const ShapeTensor& data = *c.known(0);
  const std::int64_t extent = data.shape[static_cast<std::size_t>(axis)];
  for (std::int64_t& index : *indices) {
    if (index < 0) index += extent;
    if (index < 0 || index >= extent) return false;  // the data path reports it
  }
  Index shape = data.shape;
  const Index& inner = c.known(1)->shape;
  shape.erase(shape.begin() + axis);
  shape.insert(shape.begin() + axis, inner.begin(), inner.end());
  std::int64_t count = 1;
  for (const std::int64_t one : shape) count *= std::min<std::int64_t>(one, kMaxKnownElements + 1);
  if (count > kMaxKnownElements) return false;
  const auto rank = static_cast<std::ptrdiff_t>(inner.size());
  ShapeTensor result = select(data, shape, [&](const Index& to) {
    std::int64_t flat = 0;
    for (std::ptrdiff_t i = 0; i < rank; ++i)
      flat = flat * inner[static_cast<std::size_t>(i)] + to[static_cast<std::size_t>(axis + i)];
    Index from = to;
    from.erase(from.begin() + axis, from.begin() + axis + rank);
    from.insert(from.begin() + axis, (*indices)[static_cast<std::size_t>(flat)]);
    return from;
  });
  return c.set_known(0, c.dtype(0), std::move(result));
}

/// A constant index outside the data is an error now, not wrong memory later.
Status check_indices(NodeContext& c, const Dim& extent) {
  const auto bound = extent.constant();
  if (!bound || !c.known(1)) return {};
  for (const Dim& value : c.known(1)->values) {
    const auto index = value.constant();
    if (index && (*index < -*bound || *index >= *bound))
      return c.error("index {} is outside [{}, {}]", *index, -*bound, *bound - 1);
  }
  return {};
}

Status gather(NodeContext& c) {
  JITNEY_TRY(const int axis, c.axis(c.integer("axis", 0), c.rank(0)));
  if (computed_gather(c, axis)) return {};
  JITNEY_CHECK(check_indices(c, c.shape(0)[static_cast<std::size_t>(axis)]));
  return c.set(0, c.b.node(Op::gather, {c.value(0), c.value(1)}, {{"axis", static_cast<std::int64_t>(axis)}}));
}

Status tile(NodeContext& c) {
  JITNEY_TRY(const auto repeats, c.dims(1, "repeats"));
  const Shape from = c.shape(0);
  if (repeats.size() != from.size()) return c.error("repeats has {} entries for rank {}", repeats.size(), from.size());
  // [a, b] -> [1, a, 1, b] -> [r, a, s, b] -> [r a, s b]; axes that are not repeated stay one axis.
  Shape split, repeated, to;
  for (std::size_t axis = 0; axis < from.size(); ++axis) {
    if (const auto count = repeats[axis].constant(); count && *count < 0)
      return c.error("repeats has the entry {}", *count);
    if (!repeats[axis].is(1)) {
      split.emplace_back(1);
      repeated.push_back(repeats[axis]);
    }
    split.push_back(from[axis]);
    repeated.push_back(from[axis]);
    to.push_back(repeats[axis] * from[axis]);
  }
  return c.set(0, c.b.reshape(c.b.expand(c.b.reshape(c.value(0), split), repeated), to));
}

Status pad(NodeContext& c) {
  const std::string mode = c.text("mode", "constant");
  if (mode != "constant" && mode != "reflect" && mode != "edge" && mode != "wrap") {
    return c.error("mode is '{}'; constant, reflect, edge and wrap are allowed", mode);
  }
  const Shape& from = c.shape(0);
  double fill = 0;
  ValueId fill_value = ir::kNoValue;  // where it is data
  std::vector<Dim> pads, padded_extents;
  bool pads_are_data = false;
  Index axes;
  if (c.opset < 11) {
    const auto given = c.integer_list("pads").value_or(Index{});
    pads.assign(given.begin(), given.end());
    fill = c.real("value", 0);
  } else {
    if (!c.has(1)) return c.error("its input 'pads' is missing");
    if (c.known(1)) {
      JITNEY_TRY(pads, c.dims(1, "pads"));
    } else {
      JITNEY_TRY(const std::int64_t count, c.element_count(1, "pads"));
      const auto halves = c.b.read_dims("signed", {c.value(1)}, {}, static_cast<std::size_t>(2 * count));
      for (std::size_t k = 0; k < halves.size(); k += 2) pads.push_back(halves[k] - halves[k + 1]);
      pads_are_data = true;
    }
    if (c.has(2) && c.input(2).constant == nullptr && !c.known(2)) {
      if (c.dtype(2) != c.dtype(0) || c.rank(2) > 1 || !ir::product(c.shape(2)).is(1))
        return c.error("the padding value '{}' must be one element of {}", c.input(2).name, to_string(c.dtype(0)));
      fill_value = c.b.reshape(c.value(2), {});
    } else if (c.has(2)) {
      JITNEY_TRY(fill, c.constant_number(2, "the padding value"));
    }
  }
  for (std::size_t axis = 0; axis < from.size(); ++axis) axes.push_back(static_cast<std::int64_t>(axis));
  if (c.has(3)) {
    JITNEY_TRY(axes, c.integers(3, "axes"));
    JITNEY_CHECK(c.axes(axes, c.rank(0)));
  }
  if (pads.size() != 2 * axes.size()) return c.error("pads has {} entries for {} axes", pads.size(), axes.size());
  if (pads_are_data) {
    // A symbol each: products of such sums would have hundreds of terms.
    std::vector<Dim> given;
    for (const std::int64_t axis : axes) {
      JITNEY_TRY(const int at, c.axis(axis, c.rank(0)));
      given.push_back(from[static_cast<std::size_t>(at)]);
    }
    padded_extents = c.b.read_dims("padded", {c.value(1)}, std::move(given), axes.size());
    JITNEY_CHECK(c.b.status());
  }
  std::vector<Dim> before(from.size(), Dim(0));
  Shape to = from;
  for (std::size_t i = 0; i < axes.size(); ++i) {
    JITNEY_TRY(const int axis, c.axis(axes[i], c.rank(0)));
    const auto at = static_cast<std::size_t>(axis);
    before[at] = pads[i];
    to[at] = pads_are_data ? padded_extents[i] : from[at] + pads[i] + pads[axes.size() + i];
    c.b.require(ir::Guard::Relation::less_equal, Dim(0), to[at],
                fmt::format("{}: pads cut more than axis {} of {} has", c.label(), at, ir::to_string(from)));
  }
  if (to == from && std::all_of(before.begin(), before.end(), [](const Dim& d) { return d.is(0); }))
    return c.set(0, c.input_pointer(0));
  const auto padded = [&](ValueId x, double value) {
    return c.b.typed_node(Op::pad, {x}, c.b.dtype(x), to, {{"before", before}, {"value", value}, {"mode", mode}});
  };
  const ValueId result = padded(c.value(0), fill);
  if (fill_value == ir::kNoValue || mode != "constant") return c.set(0, result);
  const ValueId inside = padded(c.b.expand(c.b.scalar(1, DType::boolean), from), 0);
  return c.set(0, c.b.where(inside, result, fill_value));
}

}  // namespace

std::span<const OperatorRow> movement_operators() {
  static constexpr OperatorRow kRows[] = {
      {"Transpose", 1, 1, 1, transpose},
      {"Concat", 4, 1, kAnyNumber, concat},
      {"Gather", 1, 2, 2, gather},
      {"Tile", 6, 2, 2, tile},
      {"Pad", 2, 1, 4, pad},
  };
  return kRows;
}

}  // namespace jitney::onnx
