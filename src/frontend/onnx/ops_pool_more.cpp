// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
// Pooling that is built from primitive operators: LpPool, GlobalLpPool, the indices of MaxPool, MaxUnpool.
#include <cmath>
#include <limits>

#include "frontend/onnx/arithmetic.h"
#include "frontend/onnx/max_pool_indices.h"
#include "frontend/onnx/registry.h"
#include "frontend/onnx/window.h"

namespace jitney::onnx {
namespace {

using ir::Dim;
using ir::Guard;
using ir::Op;
using ir::Shape;
using ir::ValueId;

/// The lowest number of a dtype.
double lowest(DType dtype) {
  if (is_floating(dtype)) return -std::numeric_limits<double>::infinity();
  return is_unsigned_integer(dtype) ? 0 : -std::ldexp(1.0, static_cast<int>(size_of(dtype)) * 8 - 1);
}

/// x with `fill` around it, so that windows may begin anywhere up to the last of `out`.
ValueId padded_for(NodeContext& c, ValueId x, const Window& w, const Shape& out, double fill) {
  Shape to = c.b.shape(x);
  std::vector<Dim> before(to.size(), Dim(0));
  for (std::size_t i = 0; i < w.kernel.size(); ++i) {
    before[2 + i] = w.pads[i];
    to[2 + i] = (out[2 + i] - Dim(1)) * Dim(w.strides[i]) + Dim(w.reach(i));
  }
  return c.b.typed_node(Op::pad, {x}, c.b.dtype(x), to,
                        {{"before", std::move(before)}, {"value", fill}, {"mode", std::string("constant")}});
}

ValueId absolute_power(NodeContext& c, ValueId x, std::int64_t p) {
  const Arithmetic m{c.b, c.b.dtype(x)};
  if (p == 2) return m.mul(x, x);
  const ValueId absolute = c.b.unary(Op::abs, x);
  return p == 1 ? absolute : c.b.binary(Op::pow, absolute, m.number(static_cast<double>(p)));
}

ValueId root(NodeContext& c, ValueId x, std::int64_t p) {
  if (p == 1) return x;
  if (p == 2) return c.b.unary(Op::sqrt, x);
  return c.b.binary(Op::pow, x, c.b.scalar(1 / static_cast<double>(p), c.b.dtype(x)));
}

Expected<std::int64_t> exponent(NodeContext& c) {
  const std::int64_t p = c.integer("p", 2);
  if (p < 1) return c.error("p is {}; it must be 1 or more", p);
  return p;
}

Status lp_pool(NodeContext& c) {
  GraphBuilder& b = c.b;
  const auto kernel = c.integer_list("kernel_shape");
  if (!kernel) return c.error("attribute 'kernel_shape' is missing");
  JITNEY_TRY(const std::int64_t p, exponent(c));
  const bool ceil = c.integer("ceil_mode", 0) != 0;
  JITNEY_TRY(const Window w, read_window(c, c.shape(0), *kernel));
  const Shape shape = pooled_shape(c, c.shape(0), w, ceil);
  const DType dtype = c.dtype(0), wide = dtype == DType::f64 ? DType::f64 : DType::f32;
  const ValueId powers = padded_for(c, absolute_power(c, b.cast(c.value(0), wide), p), w, shape, 0);
  const std::vector<std::int64_t> no_pads(2 * kernel->size(), 0);
  const ValueId mean = b.typed_node(Op::avg_pool, {powers}, wide, shape,
                                    {{"kernel", w.kernel},
                                     {"strides", w.strides},
                                     {"dilations", w.dilations},
                                     {"pads", no_pads},
                                     {"include_pad", std::int64_t{0}}});
  double count = 1;
  for (const std::int64_t k : w.kernel) count *= static_cast<double>(k);
  return c.set(0, b.cast(root(c, b.binary(Op::mul, mean, b.scalar(count, wide)), p), dtype));
}

Status global_lp_pool(NodeContext& c) {
  JITNEY_TRY(const std::int64_t p, exponent(c));
  if (c.rank(0) < 3) return c.error("its input must be [n, c, spatial...], not {}", ir::to_string(c.shape(0)));
  const DType dtype = c.dtype(0), wide = dtype == DType::f64 ? DType::f64 : DType::f32;
  const ValueId powers = absolute_power(c, c.b.cast(c.value(0), wide), p);
  const ValueId sum = c.b.reduce(Op::reduce_sum, powers, axes_from(2, c.rank(0)), true);
  return c.set(0, c.b.cast(root(c, sum, p), dtype));
}

Status max_unpool(NodeContext& c) {
  GraphBuilder& b = c.b;
  const auto kernel = c.integer_list("kernel_shape");
  if (!kernel) return c.error("attribute 'kernel_shape' is missing");
  if (c.shape(0).size() != c.shape(1).size()) return c.error("its indices must have the shape of its input");
  JITNEY_TRY(const Window w, read_window(c, c.shape(0), *kernel, false));
  Shape shape = c.shape(0);
  for (std::size_t i = 0; i < kernel->size(); ++i)
    shape[2 + i] =
        (shape[2 + i] - Dim(1)) * Dim(w.strides[i]) + Dim((*kernel)[i]) - Dim(w.pads[i] + w.pads[kernel->size() + i]);
  Shape whole = shape;
  if (c.has(2)) {
    JITNEY_TRY(whole, c.dims(2, "output_shape"));
    if (whole.size() != shape.size()) return c.error("output_shape has {} entries", whole.size());
  }
  for (std::size_t i = 0; i < shape.size(); ++i) {
    b.require(Guard::Relation::less_equal, Dim(0), shape[i], fmt::format("{}: its pads cut everything", c.label()));
    b.require(Guard::Relation::less_equal, shape[i], whole[i],
              fmt::format("{}: output_shape is below what was pooled", c.label()));
  }
  const Dim count = ir::product(c.shape(0)), total = ir::product(shape);
  const ValueId zeros = b.expand(b.scalar(0, c.dtype(0)), {total});
  const ValueId scattered =
      b.node(Op::scatter_elements, {zeros, b.reshape(c.value(1), {count}), b.reshape(c.value(0), {count})},
             {{"axis", std::int64_t{0}}, {"mode", std::string("none")}});
  ValueId y = b.reshape(scattered, shape);
  if (!(whole == shape))
    y = b.typed_node(Op::pad, {y}, c.dtype(0), whole,
                     {{"before", Shape(shape.size(), Dim(0))}, {"value", 0.0}, {"mode", std::string("constant")}});
  return c.set(0, y);
}

}  // namespace

Status set_max_pool_indices(NodeContext& c, const Window& w, const Shape& out, bool column_major) {
  GraphBuilder& b = c.b;
  const std::size_t spatial = w.kernel.size();
  std::int64_t taps = 1;
  for (const std::int64_t k : w.kernel) taps *= std::min<std::int64_t>(k, 1 << 16);
  constexpr std::int64_t kMaxTaps = 256;
  if (taps > kMaxTaps) return c.error("its output 'Indices' is supported for windows of up to {} elements", kMaxTaps);
  const Shape in = c.shape(0);
  const Arithmetic i64{b, DType::i64}, m{b, c.dtype(0)};
  // How far apart in the flat index neighbours along each spatial axis are.
  std::vector<Dim> steps(spatial, Dim(1));
  Dim plane(1);
  for (std::size_t k = 0; k < spatial; ++k) {
    const std::size_t at = column_major ? k : spatial - 1 - k;
    steps[at] = plane;
    plane = plane * in[2 + at];
  }
  const ValueId x = padded_for(c, c.value(0), w, out, lowest(c.dtype(0)));
  // The first element of a window, as an index that may lie before the input.
  ValueId corner =
      i64.mul(i64.add(i64.mul(i64.counter(in[0], out.size(), 0), i64.number(in[1])), i64.counter(in[1], out.size(), 1)),
              i64.number(plane));
  for (std::size_t i = 0; i < spatial; ++i) {
    const ValueId first =
        i64.sub(i64.mul(i64.counter(out[2 + i], out.size(), 2 + i), i64.number(static_cast<double>(w.strides[i]))),
                i64.number(static_cast<double>(w.pads[i])));
    corner = i64.add(corner, i64.mul(first, i64.number(steps[i])));
  }
  ValueId best = ir::kNoValue, index = ir::kNoValue;
  std::vector<std::int64_t> tap(spatial, 0);
  for (std::int64_t t = 0; t < taps && b.ok(); ++t) {
    std::vector<Dim> starts(out.size(), Dim(0));
    std::vector<std::int64_t> strides(out.size(), 1);
    ValueId here = corner;
    for (std::size_t i = 0; i < spatial; ++i) {
      starts[2 + i] = tap[i] * w.dilations[i];
      strides[2 + i] = w.strides[i];
      here = i64.add(here, i64.mul(i64.number(static_cast<double>(tap[i] * w.dilations[i])), i64.number(steps[i])));
    }
    const ValueId value = b.slice(x, starts, strides, out);
    if (t == 0) {
      best = value;
      index = b.expand(here, out);
    } else {
      const ValueId better = m.less(best, value);
      best = m.where(better, value, best);
      index = i64.where(better, here, index);
    }
    for (std::size_t i = spatial; i-- > 0;) {
      if (++tap[i] < w.kernel[i]) break;
      tap[i] = 0;
    }
  }
  return c.set(1, index);
}

std::span<const OperatorRow> pool_more_operators() {
  static constexpr OperatorRow kRows[] = {
      {"LpPool", 2, 1, 1, lp_pool},
      {"GlobalLpPool", 2, 1, 1, global_lp_pool},
      {"MaxUnpool", 9, 2, 3, max_unpool},
  };
  return kRows;
}

}  // namespace jitney::onnx
