// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include <functional>
#include <limits>
#include <numeric>

#include "frontend/onnx/registry.h"

namespace jitney::onnx {
namespace {

using ir::Dim;
using ir::Op;
using ir::ValueId;

struct Reduction {
  std::vector<std::int64_t> axes;
  bool keepdims = true;
};

/// Axes are an attribute until axes_input, then the second input; none means all axes, unless the node says
/// that none means none.
Expected<Reduction> read_reduction(NodeContext& c, int axes_input) {
  Reduction r;
  r.keepdims = c.integer("keepdims", 1) != 0;
  const bool none_is_none = c.integer("noop_with_empty_axes", 0) != 0;
  std::vector<std::int64_t> axes;
  if (c.opset < axes_input) {
    axes = c.integer_list("axes").value_or(std::vector<std::int64_t>{});
  } else if (c.has(1)) {
    JITNEY_TRY(axes, c.integers(1, "axes"));
  }
  if (axes.empty() && !none_is_none) {
    axes.resize(static_cast<std::size_t>(c.rank(0)));
    std::iota(axes.begin(), axes.end(), 0);
  }
  JITNEY_TRY(r.axes, c.axes(std::move(axes), c.rank(0)));
  return r;
}

/// The whole of a vector of extents folded into one: the number of elements of a shape, mostly.
bool computed(NodeContext& c, const Reduction& r, Op op) {
  if (!c.known(0) || c.dtype(0) == DType::boolean || c.rank(0) != 1 || r.axes.size() != 1) return false;
  const auto& values = c.known(0)->values;
  if (values.empty() && op != Op::reduce_sum && op != Op::reduce_prod) return false;
  Dim result = op == Op::reduce_prod ? Dim(1) : op == Op::reduce_sum ? Dim(0) : values.front();
  for (const Dim& value : values) {
    switch (op) {
      case Op::reduce_prod: result = result * value; break;
      case Op::reduce_sum: result = result + value; break;
      case Op::reduce_max: result = max_of(result, value, c.b.symbols()); break;
      case Op::reduce_min: result = min_of(result, value, c.b.symbols()); break;
      default: return false;
    }
  }
  return c.set_known(0, c.dtype(0), r.keepdims ? ShapeTensor::vector({result}) : ShapeTensor::scalar(result));
}

template <Op op, int axes_input>
Status plain(NodeContext& c) {
  JITNEY_TRY(const Reduction r, read_reduction(c, axes_input));
  if (computed(c, r, op)) return {};
  if (r.axes.empty()) return c.set(0, c.input_pointer(0));
  return c.set(0, c.b.reduce(op, c.value(0), r.axes, r.keepdims));
}

Status l1(NodeContext& c) {
  JITNEY_TRY(const Reduction r, read_reduction(c, 18));
  return c.set(0, c.b.reduce(Op::reduce_sum, c.b.unary(Op::abs, c.value(0)), r.axes, r.keepdims));
}

ValueId sum_of_squares(NodeContext& c, const Reduction& r) {
  const ValueId x = c.value(0);
  return c.b.reduce(Op::reduce_sum, c.b.binary(Op::mul, x, x), r.axes, r.keepdims);
}

Status sum_square(NodeContext& c) {
  JITNEY_TRY(const Reduction r, read_reduction(c, 18));
  return c.set(0, sum_of_squares(c, r));
}

Status l2(NodeContext& c) {
  JITNEY_TRY(const Reduction r, read_reduction(c, 18));
  const DType dtype = c.dtype(0);
  const ValueId sum = sum_of_squares(c, r);
  return c.set(0, c.b.cast(c.b.unary(Op::sqrt, c.b.cast(sum, is_floating(dtype) ? dtype : DType::f64)), dtype));
}

Status log_sum(NodeContext& c) {
  JITNEY_TRY(const Reduction r, read_reduction(c, 18));
  return c.set(0, c.b.unary(Op::log, c.b.reduce(Op::reduce_sum, c.value(0), r.axes, r.keepdims)));
}

Status log_sum_exp(NodeContext& c) {
  JITNEY_TRY(const Reduction r, read_reduction(c, 18));
  GraphBuilder& b = c.b;
  const ValueId x = c.value(0);
  // exp of the distance to the maximum cannot overflow. An infinite maximum would give inf - inf: use 0 then.
  const ValueId top = b.reduce(Op::reduce_max, x, r.axes, true);
  const ValueId infinite =
      b.binary(Op::equal, b.unary(Op::abs, top), b.scalar(std::numeric_limits<double>::infinity(), c.dtype(0)));
  const ValueId shift = b.where(infinite, b.scalar(0, c.dtype(0)), top);
  const ValueId sum = b.reduce(Op::reduce_sum, b.unary(Op::exp, b.binary(Op::sub, x, shift)), r.axes, true);
  const ValueId result = b.binary(Op::add, b.unary(Op::log, sum), shift);
  JITNEY_CHECK(b.status());
  if (r.keepdims) return c.set(0, result);
  ir::Shape shape;
  for (int axis = 0; axis < c.rank(0); ++axis) {
    if (std::find(r.axes.begin(), r.axes.end(), axis) == r.axes.end())
      shape.push_back(c.shape(0)[static_cast<std::size_t>(axis)]);
  }
  return c.set(0, b.reshape(result, shape));
}

template <Op op>
Status arg(NodeContext& c) {
  JITNEY_TRY(const int axis, c.axis(c.integer("axis", 0), c.rank(0)));
  const std::int64_t keepdims = c.integer("keepdims", 1) != 0;
  const std::int64_t last = c.integer("select_last_index", 0) != 0;
  ir::Shape others = c.shape(0);
  others[static_cast<std::size_t>(axis)] = 1;
  c.b.require(ir::Guard::Relation::less_equal, Dim::min(ir::product(others), Dim(1)),
              c.shape(0)[static_cast<std::size_t>(axis)],
              fmt::format("{}: axis {} of {} is empty and has no index", c.label(), axis, ir::to_string(c.shape(0))));
  return c.set(0, c.b.node(op, {c.value(0)},
                           {{"axes", std::vector<std::int64_t>{axis}}, {"keepdims", keepdims}, {"last", last}}));
}

}  // namespace

std::span<const OperatorRow> reduce_operators() {
  static constexpr OperatorRow kRows[] = {
      {"ReduceSum", 1, 1, 2, plain<Op::reduce_sum, 13>},
      {"ReduceMean", 1, 1, 2, plain<Op::reduce_mean, 18>},
      {"ReduceMax", 1, 1, 2, plain<Op::reduce_max, 18>},
      {"ReduceMin", 1, 1, 2, plain<Op::reduce_min, 18>},
      {"ReduceProd", 1, 1, 2, plain<Op::reduce_prod, 18>},
      {"ReduceL1", 1, 1, 2, l1},
      {"ReduceL2", 1, 1, 2, l2},
      {"ReduceSumSquare", 1, 1, 2, sum_square},
      {"ReduceLogSum", 1, 1, 2, log_sum},
      {"ReduceLogSumExp", 1, 1, 2, log_sum_exp},
      {"ArgMax", 1, 1, 1, arg<Op::arg_max>},
      {"ArgMin", 1, 1, 1, arg<Op::arg_min>},
  };
  return kRows;
}

}  // namespace jitney::onnx
