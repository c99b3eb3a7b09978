// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
// QuantizeLinear, DequantizeLinear, DynamicQuantizeLinear.
#include <numeric>

#include "frontend/onnx/quantization.h"
#include "frontend/onnx/registry.h"
#include "frontend/onnx/storage_cast.h"

namespace jitney::onnx {

using ir::Dim;
using ir::Guard;
using ir::Op;
using ir::Shape;
using ir::ValueId;

bool is_quantized(DType dtype) {
  return dtype == DType::i8 || dtype == DType::u8 || dtype == DType::i16 || dtype == DType::u16;
}

ValueId saturated(GraphBuilder& b, ValueId x, ValueId zero_point, DType to) {
  // Whole numbers of 16 bits are exact in f32, and what lies beyond is cut off.
  const auto limits = [&]() -> std::pair<double, double> {
    switch (to) {
      case DType::i8: return {-128, 127};
      case DType::u8: return {0, 255};
      case DType::i16: return {-32768, 32767};
      case DType::i4: return {-8, 7};
      case DType::u4: return {0, 15};
      case DType::i2: return {-2, 1};
      case DType::u2: return {0, 3};
      default: return {0, 65535};
    }
  }();
  ValueId y = b.unary(Op::round, x);
  if (zero_point != ir::kNoValue) y = b.binary(Op::add, y, b.cast(zero_point, DType::f32));
  y = b.binary(Op::max, y, b.scalar(limits.first, DType::f32));
  y = b.binary(Op::min, y, b.scalar(limits.second, DType::f32));
  return is_storage_only(to) ? narrowed(b, y, to) : b.cast(y, to);
}

ValueId centered(GraphBuilder& b, ValueId x, ValueId zero_point) {
  const ValueId wide = b.cast(x, DType::i32);
  return zero_point == ir::kNoValue ? wide : b.binary(Op::sub, wide, b.cast(zero_point, DType::i32));
}

Expected<ValueId> per_axis(NodeContext& c, int input, const Shape& shape, int axis, std::string_view what) {
  if (!c.has(input)) return ir::kNoValue;
  const Dim count = ir::product(c.shape(input));
  if (c.rank(input) == 0 || count.is(1)) return c.b.reshape(c.value(input), {});
  if (axis < 0 || axis >= static_cast<int>(shape.size()))
    return c.error("{} is {}; it must have one element", what, ir::to_string(c.shape(input)));
  const Dim& extent = shape[static_cast<std::size_t>(axis)];
  c.b.require(Guard::Relation::equal, count, extent,
              fmt::format("{}: {} must have one element, or one for each of axis {} of {}; it is {}", c.label(), what,
                          axis, ir::to_string(shape), ir::to_string(c.shape(input))));
  Shape line(shape.size() - static_cast<std::size_t>(axis), Dim(1));
  line[0] = count;
  return c.b.reshape(c.value(input), line);
}

namespace {

/// Scale or zero point, shaped so that it broadcasts over input 0: one for all, one for each index of the axis, or one
/// for each block of `block` indices.
Expected<ValueId> parameter(NodeContext& c, int input, int axis, std::int64_t block, std::string_view what) {
  if (block == 0 || !c.has(input)) {
    if (c.has(input) && c.rank(input) > 1)
      return c.error("{} has rank {}, but there is no block_size", what, c.rank(input));
    return per_axis(c, input, c.shape(0), axis, what);
  }
  const Shape shape = c.shape(0), given = c.shape(input);
  const auto at = static_cast<std::size_t>(axis);
  if (block < 0) return c.error("block_size is {}; it must be 0 or more", block);
  if (given.size() != shape.size())
    return c.error("{} {} must have the rank of its input {}, since it is blocked", what, ir::to_string(given),
                   ir::to_string(shape));
  for (std::size_t i = 0; i < shape.size(); ++i)
    c.b.require(Guard::Relation::equal, given[i], i == at ? Dim::ceildiv(shape[i], Dim(block)) : shape[i],
                fmt::format("{}: {} {} does not have one element for each block of {}", c.label(), what,
                            ir::to_string(given), ir::to_string(shape)));
  Shape apart = given, repeated = given, whole = given;
  apart.insert(apart.begin() + axis + 1, Dim(1));
  repeated.insert(repeated.begin() + axis + 1, Dim(block));
  whole[at] = given[at] * Dim(block);
  const ValueId all = c.b.reshape(c.b.expand(c.b.reshape(c.value(input), apart), repeated), whole);
  return c.b.slice(all, std::vector<Dim>(shape.size(), Dim(0)), std::vector<std::int64_t>(shape.size(), 1), shape);
}

/// The axis matters only where there is one.
Expected<int> quantized_axis(NodeContext& c) {
  const std::int64_t given = c.integer("axis", 1);
  const std::int64_t rank = c.rank(0);
  const bool matters = c.rank(1) > 0 && !ir::product(c.shape(1)).is(1);
  if (!matters && (given < -rank || given >= rank)) return 0;
  return c.axis(given, c.rank(0));
}

bool is_small_float(DType t) { return t >= DType::f8e4m3fn && t <= DType::f4e2m1 && t != DType::f8e8m0; }
bool is_small_integer(DType t) { return t >= DType::i4 && t <= DType::u2; }

Status quantize(NodeContext& c) {
  c.ignore({"precision"});  // f32 is as precise as any that is asked for
  const NarrowingRules rules{c.integer("saturate", 1) != 0, "up"};
  GraphBuilder& b = c.b;
  DType to = DType::u8;
  if (const std::int64_t given = c.integer("output_dtype", 0); given != 0) {
    JITNEY_TRY(to, to_dtype(static_cast<int>(given), c.label()));
    if (c.has(2) && c.dtype(2) != to) return c.error("output_dtype and the zero point have different types");
  } else if (c.has(2)) {
    to = c.dtype(2);
  }
  if (!is_quantized(to) && !is_small_float(to) && !is_small_integer(to))
    return c.error("it quantizes to {}; integers of up to 16 bits and floats of 8 and 4 bits are allowed",
                   to_string(to));
  if (c.dtype(0) != DType::i32 && !is_floating(c.dtype(0)))
    return c.error("its input is {}; it must be floating point or int32", to_string(c.dtype(0)));
  JITNEY_TRY(const int axis, quantized_axis(c));
  const std::int64_t block = c.integer("block_size", 0);
  JITNEY_TRY(const ValueId scale, parameter(c, 1, axis, block, "the scale"));
  JITNEY_TRY(const ValueId stored_zero, parameter(c, 2, axis, block, "the zero point"));
  const ValueId zero_point = widened(b, stored_zero);
  ValueId steps = b.binary(Op::div, b.cast(c.value(0), DType::f32), b.cast(widened(b, scale), DType::f32));
  if (!is_small_float(to)) return c.set(0, saturated(b, steps, zero_point, to));
  if (zero_point != ir::kNoValue) steps = b.binary(Op::add, steps, zero_point);
  return c.set(0, narrowed(b, steps, to, rules));
}

Status dequantize(NodeContext& c) {
  GraphBuilder& b = c.b;
  DType to = c.dtype(1);
  if (const std::int64_t given = c.integer("output_dtype", 0); given != 0) {
    JITNEY_TRY(to, to_dtype(static_cast<int>(given), c.label()));
  }
  if (!is_quantized(c.dtype(0)) && c.dtype(0) != DType::i32 && !is_small_float(c.dtype(0)) &&
      !is_small_integer(c.dtype(0)))
    return c.error("its input is {}; int32, integers of up to 16 bits and floats of 8 and 4 bits are allowed",
                   to_string(c.dtype(0)));
  if (c.dtype(1) == DType::f8e8m0 && to == c.dtype(1)) to = DType::f32;
  if (!is_floating(c.dtype(1)) && c.dtype(1) != DType::f8e8m0) return c.error("its scale is {}", to_string(c.dtype(1)));
  JITNEY_TRY(const int axis, quantized_axis(c));
  const std::int64_t block = c.integer("block_size", 0);
  JITNEY_TRY(const ValueId scale, parameter(c, 1, axis, block, "the scale"));
  JITNEY_TRY(const ValueId stored_zero, parameter(c, 2, axis, block, "the zero point"));
  const ValueId zero_point = widened(b, stored_zero), x = widened(b, c.value(0));
  ValueId steps = ir::kNoValue;
  if (is_small_float(c.dtype(0)))
    steps = zero_point == ir::kNoValue ? x : b.binary(Op::sub, x, zero_point);
  else
    steps = b.cast(centered(b, x, zero_point), DType::f32);
  return c.set(0, b.cast(b.binary(Op::mul, steps, b.cast(widened(b, scale), DType::f32)), to));
}

/// To u8, so that 0 and all of x are within the range.
Status dynamic_quantize(NodeContext& c) {
  GraphBuilder& b = c.b;
  if (c.dtype(0) != DType::f32) return c.error("its input is {}; it must be float32", to_string(c.dtype(0)));
  const auto f = [&](double v) { return b.scalar(v, DType::f32); };
  const ValueId x = c.value(0);
  std::vector<std::int64_t> axes(static_cast<std::size_t>(c.rank(0)));
  std::iota(axes.begin(), axes.end(), 0);
  const ValueId least = b.binary(Op::min, b.reduce(Op::reduce_min, x, axes, false), f(0));
  const ValueId most = b.binary(Op::max, b.reduce(Op::reduce_max, x, axes, false), f(0));
  const ValueId range = b.binary(Op::sub, most, least);
  // Zeros alone have no range; any scale represents them.
  const ValueId scale = b.where(b.binary(Op::equal, range, f(0)), f(1), b.binary(Op::div, range, f(255)));
  const ValueId zero_point =
      saturated(b, b.binary(Op::sub, f(0), b.binary(Op::div, least, scale)), ir::kNoValue, DType::u8);
  JITNEY_CHECK(c.set(0, saturated(b, b.binary(Op::div, x, scale), zero_point, DType::u8)));
  JITNEY_CHECK(c.set(1, scale));
  return c.set(2, zero_point);
}

}  // namespace

std::span<const OperatorRow> quantize_operators() {
  static constexpr OperatorRow kRows[] = {
      {"QuantizeLinear", 10, 2, 3, quantize},
      {"DequantizeLinear", 10, 2, 3, dequantize},
      {"DynamicQuantizeLinear", 11, 1, 1, dynamic_quantize},
  };
  return kRows;
}

}  // namespace jitney::onnx
