// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
// Resize and Upsample: for each resized axis a vector of coordinates, from it indices and weights, and sums of what is
// gathered at the indices. Coordinates are computed in f32 by the formulas of the standard, so that ties fall alike.
#include <cmath>

#include "frontend/onnx/registry.h"
#include "frontend/onnx/resize_arguments.h"

namespace jitney::onnx {
namespace {

using ir::Dim;
using ir::Guard;
using ir::Op;
using ir::Shape;
using ir::ValueId;

/// One of the elements that an output element is a sum of: vectors over the output's axis.
struct Tap {
  ValueId index = ir::kNoValue;   ///< i64, inside the input
  ValueId weight = ir::kNoValue;  ///< f32
};

/// Arithmetic on f32 vectors over one axis of the output.
class Coordinates {
 public:
  Coordinates(GraphBuilder& b, const ResizeArguments& how, const ResizedAxis& axis) : b_(b), how_(how), axis_(axis) {}

  /// Where in the input each output element lies.
  ValueId original() {
    const ValueId x = b_.cast(b_.iota({axis_.to}, 0), DType::f32);
    const ValueId in = number(axis_.from), out = number(axis_.to);
    const std::string& mode = how_.coordinates;
    if (mode == "asymmetric") return div(x, scale());
    if (mode == "tf_half_pixel_for_nn") return div(add(x, f(0.5)), scale());
    if (mode == "align_corners") return div(mul(x, sub(in, f(1))), b_.binary(Op::max, sub(length(), f(1)), f(1e-6)));
    if (mode == "tf_crop_and_resize") {
      const ValueId reach = sub(in, f(1)), begin = roi(axis_.roi_begin_value, axis_.roi_begin),
                    end = roi(axis_.roi_end_value, axis_.roi_end);
      const ValueId step = div(mul(sub(end, begin), reach), b_.binary(Op::max, sub(out, f(1)), f(1)));
      const ValueId many = add(mul(begin, reach), mul(x, step));
      return b_.where(b_.binary(Op::less, f(1), out), many, mul(mul(f(0.5), add(begin, end)), reach));
    }
    const ValueId half_pixel = sub(div(add(x, f(0.5)), scale()), f(0.5));
    if (mode == "pytorch_half_pixel") return b_.where(b_.binary(Op::less, f(1), out), half_pixel, f(0));
    if (mode == "half_pixel_symmetric") {
      const ValueId adjustment = div(out, mul(scale(), in));
      const ValueId offset = mul(div(in, f(2)), sub(f(1), adjustment));
      return sub(add(offset, div(add(x, f(0.5)), scale())), f(0.5));
    }
    return half_pixel;
  }

  ValueId nearest(ValueId x) {
    const std::string& mode = how_.nearest;
    ValueId index = ir::kNoValue;
    if (mode == "floor")
      index = b_.unary(Op::floor, x);
    else if (mode == "ceil")
      index = b_.unary(Op::ceil, x);
    else if (mode == "round_prefer_ceil")
      index = b_.unary(Op::floor, add(x, f(0.5)));
    else if (mode == "simple")  // of opset 10: up where it shrinks, else down
      index = b_.where(b_.binary(Op::less, scale(), f(1)), b_.unary(Op::ceil, x), b_.unary(Op::floor, x));
    else
      index = b_.unary(Op::ceil, sub(x, f(0.5)));
    return inside(index);
  }

  std::vector<Tap> linear(ValueId x) {
    const ValueId within = b_.binary(Op::max, b_.binary(Op::min, x, sub(number(axis_.from), f(1))), f(0));
    const ValueId first = b_.unary(Op::floor, within);
    const ValueId weight = sub(within, first);
    return {{inside(first), sub(f(1), weight)}, {inside(add(first, f(1))), weight}};
  }

  std::vector<Tap> cubic(ValueId x) {
    const ValueId first = b_.unary(Op::floor, x), t = sub(x, first);
    std::vector<ValueId> weights{far(add(t, f(1))), near(t), near(sub(f(1), t)), far(sub(f(2), t))};
    std::vector<ValueId> places;
    for (const double offset : {-1.0, 0.0, 1.0, 2.0}) places.push_back(add(first, f(offset)));
    if (how_.exclude_outside) {
      ValueId sum = ir::kNoValue;
      for (std::size_t i = 0; i < 4; ++i) {
        weights[i] = b_.where(outside(places[i]), f(0), weights[i]);
        sum = i == 0 ? weights[i] : add(sum, weights[i]);
      }
      for (ValueId& weight : weights) weight = div(weight, sum);
    }
    std::vector<Tap> taps;
    for (std::size_t i = 0; i < 4; ++i) taps.push_back({inside(places[i]), weights[i]});
    return taps;
  }

  /// The taps where it shrinks: the triangle or the cubic is stretched over as many elements as become one.
  std::vector<Tap> antialiased(ValueId x, bool cubic) {
    const double shrink = *axis_.constant_scale, reach = (cubic ? 2 : 1) / shrink;
    const ValueId first = b_.unary(Op::floor, x), t = sub(x, first);
    const auto begin = static_cast<std::int64_t>(std::floor(-reach)) + 1;
    std::vector<Tap> taps;
    ValueId sum = ir::kNoValue;
    for (std::int64_t i = begin; i < 2 - begin; ++i) {
      const ValueId offset = f(static_cast<double>(i)), place = add(first, offset);
      const ValueId distance = mul(b_.unary(Op::abs, sub(offset, t)), f(shrink));
      ValueId weight = ir::kNoValue;
      if (cubic)
        weight = b_.where(b_.binary(Op::less, distance, f(1)), near(distance),
                          b_.where(b_.binary(Op::less, distance, f(2)), far(distance), f(0)));
      else
        weight = b_.binary(Op::max, sub(f(1), distance), f(0));
      if (how_.exclude_outside) weight = b_.where(outside(place), f(0), weight);
      sum = taps.empty() ? weight : add(sum, weight);
      taps.push_back({inside(place), weight});
    }
    for (Tap& tap : taps) tap.weight = div(tap.weight, sum);
    return taps;
  }

  ValueId outside(ValueId x) {
    return b_.binary(Op::logical_or, b_.binary(Op::less, x, f(0)),
                     b_.binary(Op::less, sub(number(axis_.from), f(1)), x));
  }

 private:
  ValueId f(double v) { return b_.scalar(v, DType::f32); }
  /// The cubic's weight of an element at a distance of 0 to 1.
  ValueId near(ValueId d) { return add(mul(mul(sub(mul(f(how_.cubic_a + 2), d), f(how_.cubic_a + 3)), d), d), f(1)); }
  /// And of 1 to 2.
  ValueId far(ValueId d) {
    const double a = how_.cubic_a;
    return sub(mul(add(mul(sub(mul(f(a), d), f(5 * a)), d), f(8 * a)), d), f(4 * a));
  }
  ValueId add(ValueId x, ValueId y) { return b_.binary(Op::add, x, y); }
  ValueId sub(ValueId x, ValueId y) { return b_.binary(Op::sub, x, y); }
  ValueId mul(ValueId x, ValueId y) { return b_.binary(Op::mul, x, y); }
  ValueId div(ValueId x, ValueId y) { return b_.binary(Op::div, x, y); }
  ValueId number(const Dim& d) {
    if (const auto known = d.constant()) return f(static_cast<double>(*known));
    return b_.cast(b_.typed_node(Op::dims, {}, DType::i64, {}, {{"values", Shape{d}}}), DType::f32);
  }
  /// What the standard calls the resized length: with a scale it need not be whole, though there are only whole
  /// elements. Products that miss a whole number by rounding mean that number.
  ValueId length() {
    if (!axis_.scale && axis_.scale_value == ir::kNoValue) return number(axis_.to);
    const ValueId scaled = mul(scale(), number(axis_.from)), whole = b_.unary(Op::round, scaled);
    const ValueId close = b_.binary(Op::less, b_.unary(Op::abs, sub(scaled, whole)), mul(f(1e-6), add(scaled, f(1))));
    return b_.where(close, whole, scaled);
  }
  ValueId scale() {
    if (axis_.scale_value != ir::kNoValue) return axis_.scale_value;
    return axis_.scale ? f(*axis_.scale) : div(number(axis_.to), number(axis_.from));
  }
  ValueId roi(ValueId value, double number) { return value != ir::kNoValue ? value : f(number); }
  /// As an index into the input, at its edge where it lies outside.
  ValueId inside(ValueId x) {
    const ValueId last = b_.binary(Op::min, x, sub(number(axis_.from), f(1)));
    return b_.cast(b_.binary(Op::max, last, f(0)), DType::i64);
  }

  GraphBuilder& b_;
  const ResizeArguments& how_;
  const ResizedAxis& axis_;
};

/// The weighted sum of what the taps take along one axis.
ValueId weighted_sum(GraphBuilder& b, ValueId x, std::size_t axis, const std::vector<Tap>& taps) {
  ValueId sum = ir::kNoValue;
  for (const Tap& tap : taps) {
    const ValueId part =
        b.node(Op::gather_grid, {x, tap.index}, {{"axes", std::vector<std::int64_t>{static_cast<std::int64_t>(axis)}}});
    if (!b.ok()) return ir::kNoValue;
    Shape line(static_cast<std::size_t>(b.rank(x)) - axis, Dim(1));
    line[0] = b.shape(tap.weight)[0];
    const ValueId weighted = b.binary(Op::mul, part, b.reshape(tap.weight, line));
    sum = sum == ir::kNoValue ? weighted : b.binary(Op::add, sum, weighted);
  }
  return sum;
}

/// True where an element lies outside the input, along any of the axes; kNoValue where that has no meaning.
ValueId outside_of(GraphBuilder& b, const ResizeArguments& how, std::size_t rank) {
  ValueId any = ir::kNoValue;
  if (how.coordinates != "tf_crop_and_resize") return any;
  for (const ResizedAxis& axis : how.axes) {
    Coordinates at(b, how, axis);
    Shape line(rank - axis.axis, Dim(1));
    line[0] = axis.to;
    const ValueId here = b.reshape(at.outside(at.original()), line);
    any = any == ir::kNoValue ? here : b.binary(Op::logical_or, any, here);
  }
  return any;
}

Status resize(NodeContext& c) {
  JITNEY_TRY(const ResizeArguments how, read_resize(c));
  GraphBuilder& b = c.b;
  const DType dtype = c.dtype(0);
  ValueId x = c.value(0);
  if (how.mode == "nearest") {
    std::vector<ValueId> inputs{x};
    std::vector<std::int64_t> axes;
    for (const ResizedAxis& axis : how.axes) {
      Coordinates at(b, how, axis);
      inputs.push_back(at.nearest(at.original()));
      axes.push_back(static_cast<std::int64_t>(axis.axis));
    }
    if (!axes.empty()) x = b.node(Op::gather_grid, std::move(inputs), {{"axes", std::move(axes)}});
  } else {
    // One axis after the other, the innermost first: the others then read along memory, and only the first jumps.
    x = b.cast(x, DType::f32);
    for (std::size_t i = how.axes.size(); i-- > 0;) {
      Coordinates at(b, how, how.axes[i]);
      const ValueId original = at.original();
      const bool linear = how.mode == "linear", shrinks = how.axes[i].constant_scale.value_or(1) < 1;
      x = weighted_sum(b, x, how.axes[i].axis,
                       shrinks  ? at.antialiased(original, !linear)
                       : linear ? at.linear(original)
                                : at.cubic(original));
    }
  }
  const ValueId outside = outside_of(b, how, static_cast<std::size_t>(c.rank(0)));
  JITNEY_CHECK(b.status());
  if (outside != ir::kNoValue) x = b.where(outside, b.scalar(how.extrapolation, b.dtype(x)), x);
  return c.set(0, b.cast(x, dtype));
}

}  // namespace

std::span<const OperatorRow> resize_operators() {
  static constexpr OperatorRow kRows[] = {
      {"Resize", 10, 1, 4, resize},
      {"Upsample", 7, 1, 2, resize},
  };
  return kRows;
}

}  // namespace jitney::onnx
