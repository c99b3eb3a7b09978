// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
// Elements at indices that are data: GatherElements, GatherND, ScatterElements, ScatterND, ReverseSequence, Compress,
// OneHot, NonZero of a constant.
#include <algorithm>

#include "frontend/onnx/dynamic.h"
#include "frontend/onnx/registry.h"

namespace jitney::onnx {
namespace {

using ir::Dim;
using ir::Guard;
using ir::Op;
using ir::Shape;
using ir::ValueId;

/// A constant index outside the data is an error now.
Status check_constant_indices(NodeContext& c, const Dim& extent) {
  const auto bound = extent.constant();
  if (!bound || !c.known(1)) return {};
  for (const Dim& value : c.known(1)->values) {
    const auto index = value.constant();
    if (index && (*index < -*bound || *index >= *bound))
      return c.error("index {} is outside [{}, {}]", *index, -*bound, *bound - 1);
  }
  return {};
}

Status gather_elements(NodeContext& c) {
  JITNEY_TRY(const int axis, c.axis(c.integer("axis", 0), c.rank(0)));
  const auto at = static_cast<std::size_t>(axis);
  JITNEY_CHECK(check_constant_indices(c, c.shape(0)[at]));
  return c.set(0, c.b.node(Op::gather_elements, {c.value(0), c.value(1)}, {{"axis", static_cast<std::int64_t>(axis)}}));
}

Status gather_nd(NodeContext& c) {
  const std::int64_t batch = c.integer("batch_dims", 0);
  return c.set(0, c.b.node(Op::gather_nd, {c.value(0), c.value(1)}, {{"batch", batch}}));
}

Status scatter_elements(NodeContext& c) {
  JITNEY_TRY(const int axis, c.axis(c.integer("axis", 0), c.rank(0)));
  const std::string mode = c.text("reduction", "none");
  return c.set(0, c.b.node(Op::scatter_elements, {c.value(0), c.value(1), c.value(2)},
                           {{"axis", static_cast<std::int64_t>(axis)}, {"mode", mode}}));
}

Status scatter_nd(NodeContext& c) {
  const std::string mode = c.text("reduction", "none");
  return c.set(0, c.b.node(Op::scatter_nd, {c.value(0), c.value(1), c.value(2)}, {{"mode", mode}}));
}

Status reverse_sequence(NodeContext& c) {
  GraphBuilder& b = c.b;
  const std::int64_t batch = c.integer("batch_axis", 1);
  const std::int64_t time = c.integer("time_axis", 0);
  const Shape& shape = c.shape(0);
  if (shape.size() < 2 || !((batch == 0 && time == 1) || (batch == 1 && time == 0)))
    return c.error("batch_axis {} and time_axis {} must be 0 and 1, in any order, of an input of rank 2 or more", batch,
                   time);
  if (c.rank(1) != 1) return c.error("sequence_lens must have rank 1, not {}", c.rank(1));
  b.require(Guard::Relation::equal, c.shape(1)[0], shape[static_cast<std::size_t>(batch)],
            fmt::format("{}: sequence_lens must have one length for each of the batch", c.label()));
  Shape column(shape.size(), Dim(1)), row(shape.size(), Dim(1)), plane(shape.size(), Dim(1));
  column[static_cast<std::size_t>(time)] = plane[static_cast<std::size_t>(time)] =
      shape[static_cast<std::size_t>(time)];
  row[static_cast<std::size_t>(batch)] = plane[static_cast<std::size_t>(batch)] =
      shape[static_cast<std::size_t>(batch)];
  const ValueId step = b.iota(column, static_cast<int>(time));
  const ValueId length = b.reshape(b.cast(c.value(1), DType::i64), row);
  const ValueId reversed = b.binary(Op::sub, b.binary(Op::sub, length, b.scalar(1, DType::i64)), step);
  const ValueId index = b.where(b.binary(Op::less, step, length), reversed, step);
  return c.set(0, b.node(Op::gather_elements, {c.value(0), b.expand(b.expand(index, plane), shape)}, {{"axis", time}}));
}

/// With a constant condition it is a gather.
Status compress(NodeContext& c) {
  GraphBuilder& b = c.b;
  if (!c.known(1) || !c.known(1)->all_constant()) return compress_by_data(c);
  const auto condition = *c.known(1)->constants();
  ValueId x = c.value(0);
  std::int64_t axis = 0;
  if (c.has_attribute("axis")) {
    JITNEY_TRY(axis, c.axis(c.integer("axis", 0), c.rank(0)));
  } else {
    x = b.reshape(x, {ir::product(c.shape(0))});
  }
  Tensor picked(DType::i64, {std::count_if(condition.begin(), condition.end(), [](auto v) { return v != 0; })});
  auto* to = picked.as<std::int64_t>();
  for (std::size_t i = 0; i < condition.size(); ++i)
    if (condition[i] != 0) *to++ = static_cast<std::int64_t>(i);
  if (!b.ok()) return b.status();
  const Dim extent = b.shape(x)[static_cast<std::size_t>(axis)];
  if (picked.num_elements() > 0)
    b.require(Guard::Relation::less_equal, Dim(picked.as<std::int64_t>()[picked.num_elements() - 1] + 1), extent,
              fmt::format("{}: its condition picks elements that its input does not have", c.label()));
  return c.set(0,
               b.node(Op::gather, {x, b.constant(c.node.output(0) + ".indices", std::move(picked))}, {{"axis", axis}}));
}

Status one_hot(NodeContext& c) {
  GraphBuilder& b = c.b;
  Dim depth;
  if (c.known(1)) {
    JITNEY_TRY(const auto given, c.dims(1, "depth"));
    if (given.size() != 1) return c.error("depth must have one element, not {}", given.size());
    depth = given[0];
  } else if (c.input(1).constant == nullptr && c.rank(1) <= 1 && ir::product(c.shape(1)).is(1)) {
    depth = b.read_dims("extents", {b.cast(c.value(1), DType::i64)}, {}, 1)[0];
  } else {
    JITNEY_TRY(const double given, c.constant_number(1, "depth"));
    if (!(given >= 0 && given < 0x1p53)) return c.error("depth is {}; it must be 0 or more", given);
    depth = Dim(static_cast<std::int64_t>(given));
  }
  b.require(Guard::Relation::less_equal, Dim(0), depth, fmt::format("{}: depth must not be negative", c.label()));
  if (c.rank(2) != 1 || c.shape(2)[0].constant().value_or(0) != 2)
    return c.error("values must be [off, on], not {}", ir::to_string(c.shape(2)));
  JITNEY_TRY(const int axis, c.axis(c.integer("axis", -1), c.rank(0) + 1));
  Shape indices = c.shape(0), shape = c.shape(0), line(c.shape(0).size() + 1, Dim(1));
  indices.insert(indices.begin() + axis, Dim(1));
  shape.insert(shape.begin() + axis, depth);
  line[static_cast<std::size_t>(axis)] = depth;
  // Negative indices count from the end; what is out of range is nowhere.
  const ValueId given = b.cast(b.reshape(c.value(0), indices), DType::i64);
  const ValueId zero = b.scalar(0, DType::i64);
  const ValueId depth_value = b.typed_node(Op::dims, {}, DType::i64, {}, {{"values", Shape{depth}}});
  const ValueId index = b.where(b.binary(Op::less, given, zero), b.binary(Op::add, given, depth_value), given);
  const ValueId hot = b.binary(Op::equal, index, b.iota(line, axis));
  const auto value = [&](std::int64_t i) { return b.reshape(b.slice(c.value(2), {Dim(i)}, {1}, {Dim(1)}), {}); };
  return c.set(0, b.expand(b.where(hot, value(1), value(0)), shape));
}

/// Of a constant, as exporters of shapes write it.
Status non_zero(NodeContext& c) {
  std::vector<double> numbers;
  std::vector<std::int64_t> shape;
  if (const Tensor* constant = c.input(0).constant.get()) {
    shape = constant->shape();
    if (constant->num_elements() > 1 << 20) return c.error("its constant input is too large");
    for (std::int64_t i = 0; i < constant->num_elements(); ++i) numbers.push_back(element_as_double(*constant, i));
  } else if (c.known(0) && c.known(0)->all_constant()) {
    shape = c.known(0)->shape;
    const auto known = c.known(0)->constants();  // a name, so that it outlives the loop's first line
    for (const std::int64_t v : *known) numbers.push_back(static_cast<double>(v));
  } else {
    return nonzero_of_data(c);
  }
  std::vector<std::int64_t> found;
  for (std::size_t i = 0; i < numbers.size(); ++i)
    if (numbers[i] != 0) found.push_back(static_cast<std::int64_t>(i));
  const std::size_t rank = std::max<std::size_t>(shape.size(), 1);
  Tensor result(DType::i64, {static_cast<std::int64_t>(rank), static_cast<std::int64_t>(found.size())});
  for (std::size_t j = 0; j < found.size(); ++j) {
    std::int64_t rest = found[j];
    for (std::size_t axis = rank; axis-- > 0;) {
      const std::int64_t extent = shape.empty() ? 1 : shape[axis];
      result.as<std::int64_t>()[axis * found.size() + j] = rest % extent;
      rest /= extent;
    }
  }
  return c.set(0, make_constant(c.node.output(0), std::move(result)));
}

}  // namespace

std::span<const OperatorRow> index_operators() {
  static constexpr OperatorRow kRows[] = {
      {"GatherElements", 11, 2, 2, gather_elements},
      {"GatherND", 11, 2, 2, gather_nd},
      {"ScatterElements", 11, 3, 3, scatter_elements},
      {"Scatter", 9, 3, 3, scatter_elements},
      {"ScatterND", 11, 3, 3, scatter_nd},
      {"ReverseSequence", 10, 2, 2, reverse_sequence},
      {"Compress", 9, 2, 2, compress},
      {"OneHot", 9, 3, 3, one_hot},
      {"NonZero", 9, 1, 1, non_zero},
  };
  return kRows;
}

}  // namespace jitney::onnx
