// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
// CumSum, CumProd, TopK, Hardmax, EyeLike.
#include <utility>

#include "frontend/onnx/arithmetic.h"
#include "frontend/onnx/registry.h"

namespace jitney::onnx {
namespace {

using ir::Dim;
using ir::Guard;
using ir::Op;
using ir::Shape;
using ir::ValueId;

/// The elements along an axis in reverse order.
ValueId reversed(GraphBuilder& b, ValueId x, int axis) {
  if (!b.ok()) return ir::kNoValue;
  const Shape shape = b.shape(x);
  const auto at = static_cast<std::size_t>(axis);
  std::vector<Dim> starts(shape.size(), Dim(0));
  std::vector<std::int64_t> steps(shape.size(), 1);
  starts[at] = max_of(shape[at] - Dim(1), Dim(0), b.symbols());
  steps[at] = -1;
  return b.slice(x, std::move(starts), std::move(steps), shape);
}

Status cumulative_sum(NodeContext& c) {
  GraphBuilder& b = c.b;
  JITNEY_TRY(const auto given, c.integers(1, "the axis"));
  if (given.size() != 1) return c.error("its axis must be one number, not {}", given.size());
  JITNEY_TRY(const int axis, c.axis(given[0], c.rank(0)));
  const std::int64_t exclusive = c.integer("exclusive", 0) != 0;
  const bool reverse = c.integer("reverse", 0) != 0;
  ValueId x = c.value(0);
  if (reverse) x = reversed(b, x, axis);
  ValueId y = b.node(Op::cumsum, {x}, {{"axis", static_cast<std::int64_t>(axis)}, {"exclusive", exclusive}});
  if (reverse) y = reversed(b, y, axis);
  return c.set(0, y);
}

/// For each element the product of a row in which those that do not count are 1: as many products as the axis has
/// elements, which keeps them independent of each other.
Status cumulative_product(NodeContext& c) {
  GraphBuilder& b = c.b;
  JITNEY_TRY(const auto given, c.integers(1, "the axis"));
  if (given.size() != 1) return c.error("its axis must be one number, not {}", given.size());
  JITNEY_TRY(const int axis, c.axis(given[0], c.rank(0)));
  const bool exclusive = c.integer("exclusive", 0) != 0, reverse = c.integer("reverse", 0) != 0;
  const Shape shape = c.shape(0);
  const auto at = static_cast<std::size_t>(axis);
  // [..., to, from, ...]
  Shape rows = shape;
  rows.insert(rows.begin() + axis, Dim(1));
  const Arithmetic i64{b, DType::i64};
  ValueId to = i64.counter(shape[at], rows.size(), at), from = i64.counter(shape[at], rows.size(), at + 1);
  if (reverse) std::swap(to, from);
  const ValueId counts = exclusive ? i64.less(from, to) : i64.less_equal(from, to);
  const ValueId factors = b.where(counts, b.reshape(c.value(0), rows), b.scalar(1, c.dtype(0)));
  return c.set(0, b.reduce(Op::reduce_prod, factors, {axis + 1}, false));
}

Status top_k(NodeContext& c) {
  GraphBuilder& b = c.b;
  c.ignore({"sorted"});  // sorted is one of the orders that unsorted allows
  JITNEY_TRY(const int axis, c.axis(c.integer("axis", -1), c.rank(0)));
  const std::int64_t largest = c.integer("largest", 1) != 0;
  Dim k;
  if (c.opset < 10) {
    k = Dim(c.integer("k", 0));
  } else {
    if (!c.has(1)) return c.error("its input 'K' is missing");
    JITNEY_TRY(const auto given, c.dims(1, "K"));
    if (given.size() != 1) return c.error("K must have one element, not {}", given.size());
    k = given[0];
  }
  Shape shape = c.shape(0);
  Dim& extent = shape[static_cast<std::size_t>(axis)];
  b.require(Guard::Relation::less_equal, Dim(0), k, fmt::format("{}: K is {}", c.label(), k.to_string()));
  b.require(Guard::Relation::less_equal, k, extent,
            fmt::format("{}: K is {}, more than axis {} of {} has", c.label(), k.to_string(), axis,
                        ir::to_string(c.shape(0))));
  extent = k;
  const ValueId x = c.value(0);
  const std::int64_t along = axis;
  const ValueId index = b.typed_node(Op::top_k, {x}, DType::i64, shape, {{"axis", along}, {"largest", largest}});
  JITNEY_CHECK(c.set(1, index));
  if (!c.wants_output(0)) return {};
  return c.set(0, b.node(Op::gather_elements, {x, index}, {{"axis", along}}));
}

/// 1 where the first of the largest is, else 0. Before opset 13 everything from the axis on is one axis.
Status hardmax(NodeContext& c) {
  GraphBuilder& b = c.b;
  JITNEY_TRY(const int given, c.axis(c.integer("axis", c.opset < 13 ? 1 : -1), c.rank(0)));
  const Shape shape = c.shape(0);
  const bool flattens = c.opset < 13;
  const Shape seen = flattens ? Shape{ir::product({shape.begin(), shape.begin() + given}),
                                      ir::product({shape.begin() + given, shape.end()})}
                              : shape;
  const std::int64_t axis = flattens ? 1 : given;
  const Dim& extent = seen[static_cast<std::size_t>(axis)];
  const ValueId x = b.reshape(c.value(0), seen);
  const ValueId best =
      b.node(Op::arg_max, {x},
             {{"axes", std::vector<std::int64_t>{axis}}, {"keepdims", std::int64_t{1}}, {"last", std::int64_t{0}}});
  Shape line(seen.size() - static_cast<std::size_t>(axis), Dim(1));
  line[0] = extent;
  const ValueId hit = b.cast(b.binary(Op::equal, best, b.iota(line, 0)), c.dtype(0));
  return c.set(0, b.reshape(hit, shape));
}

Status eye_like(NodeContext& c) {
  GraphBuilder& b = c.b;
  if (c.rank(0) != 2) return c.error("its input must have rank 2, not {}", ir::to_string(c.shape(0)));
  DType dtype = c.dtype(0);
  if (c.has_attribute("dtype")) {
    JITNEY_TRY(dtype, to_dtype(static_cast<int>(c.integer("dtype", 0)), c.label()));
  }
  if (is_storage_only(dtype)) return c.error("its result cannot be {}", to_string(dtype));
  const std::int64_t k = c.integer("k", 0);
  if (k < INT32_MIN || k > INT32_MAX) return c.error("k is {}; it must have 32 bits", k);
  const Shape shape = c.shape(0);
  const ValueId row = b.binary(Op::add, b.iota({shape[0], Dim(1)}, 0), b.scalar(static_cast<double>(k), DType::i64));
  return c.set(0, b.cast(b.binary(Op::equal, row, b.iota({Dim(1), shape[1]}, 1)), dtype));
}

}  // namespace

std::span<const OperatorRow> order_operators() {
  static constexpr OperatorRow kRows[] = {
      {"CumSum", 11, 2, 2, cumulative_sum},
      {"CumProd", 26, 2, 2, cumulative_product},
      {"TopK", 1, 1, 2, top_k},
      {"Hardmax", 1, 1, 1, hardmax},
      {"EyeLike", 9, 1, 1, eye_like},
  };
  return kRows;
}

}  // namespace jitney::onnx
