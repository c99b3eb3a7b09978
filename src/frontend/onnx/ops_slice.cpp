// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
// Slice and Split.
#include <limits>

#include "frontend/onnx/registry.h"

namespace jitney::onnx {
namespace {

using ir::Dim;
using ir::Guard;
using ir::Op;
using ir::Shape;
using ir::ValueId;
using Index = std::vector<std::int64_t>;

struct Range {
  Dim start;
  Dim extent;
};

/// Exporters write "to the end" as the largest integer of the type they use.
bool is_end(const Dim& bound) {
  const auto constant = bound.constant();
  return constant && (*constant >= std::numeric_limits<std::int64_t>::max() / 2 ||
                      *constant == std::numeric_limits<std::int32_t>::max());
}
bool is_before_start(const Dim& bound) {
  const auto constant = bound.constant();
  return constant && (*constant <= std::numeric_limits<std::int64_t>::min() / 2 ||
                      *constant == std::numeric_limits<std::int32_t>::min());
}

/// A bound counted from the start, within [0, extent]. Negative ones count from the end. One whose sign depends on
/// the symbols is taken as non-negative, and a guard says so.
Dim clamped(NodeContext& c, const Dim& bound, const Dim& extent) {
  const Symbols& symbols = c.b.symbols();
  if (is_end(bound)) return extent;
  if (is_before_start(bound)) return Dim(0);
  if (lower_bound(Dim(-1) - bound, symbols) >= 0) return extent - min_of(extent, Dim(0) - bound, symbols);
  c.b.require(Guard::Relation::less_equal, Dim(0), bound,
              fmt::format("{}: bound {} must not be negative", c.label(), bound.to_string()));
  return min_of(bound, extent, symbols);
}

Range forward_range(NodeContext& c, const Dim& extent, const Dim& start, const Dim& end, std::int64_t step) {
  const Dim from = clamped(c, start, extent);
  const Dim length = max_of(clamped(c, end, extent) - from, Dim(0), c.b.symbols());
  return {from, step == 1 ? length : Dim::ceildiv(length, Dim(step))};
}

Range backward_range(NodeContext& c, const Dim& extent, const Dim& start, const Dim& end, std::int64_t step) {
  const Symbols& symbols = c.b.symbols();
  // The first element taken, and the first not taken, which is -1 where everything down to the start is.
  const Dim last = max_of(extent - Dim(1), Dim(0), symbols);
  const Dim from = is_end(start) || start.is(-1) ? last : min_of(clamped(c, start, extent), last, symbols);
  Dim until(-1);
  if (!is_before_start(end)) {
    // A negative end of -extent - 1 or less means everything too.
    const bool negative = lower_bound(Dim(-1) - end, symbols) >= 0;
    until = negative ? max_of(extent + end, Dim(-1), symbols) : clamped(c, end, extent);
  }
  const Dim length = min_of(max_of(from - until, Dim(0), symbols), extent, symbols);
  return {from, Dim::ceildiv(length, Dim(-step))};
}

struct Slices {
  std::vector<Dim> starts;
  Index steps;
  Shape shape;
};

bool computed_slice(NodeContext& c, const Slices& s) {
  if (!c.known(0)) return false;
  const auto starts = ShapeTensor::vector(s.starts).constants();
  const auto extents = ShapeTensor::vector(s.shape).constants();
  if (!starts || !extents) return false;
  ShapeTensor result = select(*c.known(0), *extents, [&](Index index) {
    for (std::size_t axis = 0; axis < index.size(); ++axis) index[axis] = (*starts)[axis] + index[axis] * s.steps[axis];
    return index;
  });
  return c.set_known(0, c.dtype(0), std::move(result));
}

/// Every axis by an index of its own, since the steps are data: start + i * step.
Status gather_slice(NodeContext& c, const Index& axes, const std::vector<Dim>& found) {
  GraphBuilder& b = c.b;
  ValueId x = c.value(0);
  const ValueId steps = b.cast(c.value(4), DType::i64);
  for (std::size_t i = 0; i < axes.size(); ++i) {
    const Dim& extent = found[2 * i + 1];
    const ValueId step = b.reshape(b.slice(steps, {Dim(static_cast<std::int64_t>(i))}, {1}, {Dim(1)}), {});
    const ValueId start = b.typed_node(Op::dims, {}, DType::i64, {}, {{"values", Shape{found[2 * i]}}});
    const ValueId index = b.binary(Op::add, start, b.binary(Op::mul, b.iota({extent}, 0), step));
    x = b.node(Op::gather, {x, index}, {{"axis", axes[i]}});
  }
  return c.set(0, x);
}

/// Starts, ends or steps that follow from data: where they are, and how much is between them, is found out when they
/// are there.
Status data_slice(NodeContext& c, Index axes, Index steps) {
  const bool has_data_steps = c.has(4) && !c.known(4);
  JITNEY_TRY(const std::int64_t count, c.element_count(1, "starts"));
  JITNEY_TRY(const std::int64_t ends, c.element_count(2, "ends"));
  if (axes.empty()) {
    for (std::int64_t i = 0; i < count; ++i) axes.push_back(i);
  }
  if (steps.empty()) steps.assign(axes.size(), 1);
  if (has_data_steps) {
    JITNEY_TRY(const std::int64_t given, c.element_count(4, "steps"));
    steps.assign(static_cast<std::size_t>(given), 0);
  }
  if (count != ends || count != std::ssize(axes) || count != std::ssize(steps))
    return c.error("starts, ends, axes and steps have {}, {}, {} and {} entries; they must have as many", count, ends,
                   axes.size(), steps.size());
  JITNEY_CHECK(c.axes(axes, c.rank(0)));
  const Shape from = c.shape(0);
  std::vector<Dim> given;
  for (std::size_t i = 0; i < axes.size(); ++i) {
    JITNEY_TRY(axes[i], c.axis(axes[i], c.rank(0)));
    if (!has_data_steps && (steps[i] == 0 || steps[i] == std::numeric_limits<std::int64_t>::min()))
      return c.error("step {} is not allowed", steps[i]);
    given.push_back(from[static_cast<std::size_t>(axes[i])]);
    given.emplace_back(steps[i]);
  }
  std::vector<ValueId> operands{c.value(1), c.value(2)};
  if (has_data_steps) operands.push_back(c.value(4));
  const auto found = c.b.read_dims("slice", std::move(operands), std::move(given), 2 * axes.size());
  if (has_data_steps) return gather_slice(c, axes, found);
  Slices s{std::vector<Dim>(from.size(), Dim(0)), Index(from.size(), 1), from};
  for (std::size_t i = 0; i < axes.size(); ++i) {
    const auto at = static_cast<std::size_t>(axes[i]);
    s.starts[at] = found[2 * i];
    s.shape[at] = found[2 * i + 1];
    s.steps[at] = steps[i];
  }
  return c.set(0, c.b.slice(c.value(0), s.starts, s.steps, s.shape));
}

Status slice(NodeContext& c) {
  std::vector<Dim> starts, ends;
  Index axes, steps;
  if (c.opset < 10) {
    const auto attribute = [&](const char* name) { return c.integer_list(name).value_or(Index{}); };
    const Index s = attribute("starts");
    const Index e = attribute("ends");
    starts.assign(s.begin(), s.end());
    ends.assign(e.begin(), e.end());
    axes = attribute("axes");
  } else {
    if (!c.has(1) || !c.has(2)) return c.error("its starts or ends are missing");
    if (c.has(3)) {
      JITNEY_TRY(axes, c.integers(3, "axes"));
    }
    const bool has_data_steps = c.has(4) && !c.known(4);
    if (c.has(4) && !has_data_steps) {
      JITNEY_TRY(steps, c.integers(4, "steps"));
    }
    if (!c.known(1) || !c.known(2) || has_data_steps) return data_slice(c, std::move(axes), std::move(steps));
    JITNEY_TRY(starts, c.dims(1, "starts"));
    JITNEY_TRY(ends, c.dims(2, "ends"));
  }
  if (axes.empty()) {
    for (std::size_t i = 0; i < starts.size(); ++i) axes.push_back(static_cast<std::int64_t>(i));
  }
  if (steps.empty()) steps.assign(starts.size(), 1);
  if (starts.size() != ends.size() || starts.size() != axes.size() || starts.size() != steps.size()) {
    return c.error("starts, ends, axes and steps have {}, {}, {} and {} entries; they must have as many", starts.size(),
                   ends.size(), axes.size(), steps.size());
  }
  JITNEY_CHECK(c.axes(axes, c.rank(0)));

  const Shape& from = c.shape(0);
  Slices s{std::vector<Dim>(from.size(), Dim(0)), Index(from.size(), 1), from};
  for (std::size_t i = 0; i < axes.size(); ++i) {
    JITNEY_TRY(const int axis, c.axis(axes[i], c.rank(0)));
    const auto at = static_cast<std::size_t>(axis);
    const std::int64_t step = steps[i];
    if (step == 0 || step == std::numeric_limits<std::int64_t>::min()) return c.error("step {} is not allowed", step);
    const Range range = step > 0 ? forward_range(c, from[at], starts[i], ends[i], step)
                                 : backward_range(c, from[at], starts[i], ends[i], step);
    s.starts[at] = range.start;
    s.steps[at] = step;
    s.shape[at] = range.extent;
  }
  JITNEY_CHECK(c.b.status());
  if (computed_slice(c, s)) return {};
  if (s.shape == from && std::all_of(s.steps.begin(), s.steps.end(), [](std::int64_t step) { return step == 1; })) {
    return c.set(0, c.input_pointer(0));
  }
  return c.set(0, c.b.slice(c.value(0), s.starts, s.steps, s.shape));
}

Status split(NodeContext& c) {
  JITNEY_TRY(const int axis, c.axis(c.integer("axis", 0), c.rank(0)));
  const Dim extent = c.shape(0)[static_cast<std::size_t>(axis)];
  const auto count = static_cast<std::int64_t>(c.output_count());
  std::vector<Dim> sizes;
  if (c.opset < 13) {
    const auto given = c.integer_list("split").value_or(Index{});
    sizes.assign(given.begin(), given.end());
  } else if (c.has(1)) {
    JITNEY_TRY(sizes, c.dims(1, "split"));
  }
  const std::int64_t declared = c.integer("num_outputs", count);
  if (declared != count) return c.error("num_outputs is {}, but it has {} outputs", declared, count);
  if (sizes.empty()) {
    // Equal parts. From opset 18 on the last one may be smaller.
    const Dim part = Dim::ceildiv(extent, Dim(count));
    if (const auto exact = Dim::divide_exactly(extent, Dim(count))) {
      sizes.assign(static_cast<std::size_t>(count), *exact);
    } else if (c.has_attribute("num_outputs")) {
      sizes.assign(static_cast<std::size_t>(count), part);
      sizes.back() = extent - part * Dim(count - 1);
      c.b.require(Guard::Relation::less_equal, Dim(0), sizes.back(),
                  fmt::format("{}: {} does not fill {} parts", c.label(), extent.to_string(), count));
    } else {
      c.b.require(Guard::Relation::divides, Dim(count), extent,
                  fmt::format("{}: axis {} is {}, no multiple of {}", c.label(), axis, extent.to_string(), count));
      sizes.assign(static_cast<std::size_t>(count), Dim::floordiv(extent, Dim(count)));
    }
  }
  if (static_cast<std::int64_t>(sizes.size()) != count)
    return c.error("split has {} entries for {} outputs", sizes.size(), count);
  Dim total(0);
  for (const Dim& size : sizes) {
    if (const auto constant = size.constant(); constant && *constant < 0)
      return c.error("split has the entry {}", *constant);
    total = total + size;
  }
  c.b.require(Guard::Relation::equal, total, extent,
              fmt::format("{}: its parts have {} elements on axis {}, its input {}", c.label(), total.to_string(), axis,
                          extent.to_string()));
  JITNEY_CHECK(c.b.status());

  Slices s{std::vector<Dim>(c.shape(0).size(), Dim(0)), Index(c.shape(0).size(), 1), c.shape(0)};
  for (std::int64_t i = 0; i < count; ++i) {
    const Dim& size = sizes[static_cast<std::size_t>(i)];
    s.shape[static_cast<std::size_t>(axis)] = size;
    if (c.wants_output(static_cast<int>(i))) {
      JITNEY_CHECK(count == 1 ? c.set(0, c.input_pointer(0))
                              : c.set(static_cast<int>(i), c.b.slice(c.value(0), s.starts, s.steps, s.shape)));
    }
    s.starts[static_cast<std::size_t>(axis)] = s.starts[static_cast<std::size_t>(axis)] + size;
  }
  return {};
}

}  // namespace

std::span<const OperatorRow> slice_operators() {
  static constexpr OperatorRow kRows[] = {
      {"Slice", 1, 1, 5, slice},
      {"Split", 2, 1, 2, split},
  };
  return kRows;
}

}  // namespace jitney::onnx
