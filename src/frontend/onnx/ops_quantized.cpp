// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
// Products of quantized tensors: MatMulInteger, ConvInteger, QLinearMatMul, QLinearConv. Sums are exact, in i32.
#include "frontend/onnx/quantization.h"
#include "frontend/onnx/registry.h"
#include "frontend/onnx/window.h"

namespace jitney::onnx {
namespace {

using ir::Dim;
using ir::Op;
using ir::Shape;
using ir::ValueId;

/// A parameter of a factor of a matrix product: one element, one for each row (or column), or of the factor's rank.
Expected<ValueId> of_matrix(NodeContext& c, int input, int matrix, bool by_row, std::string_view what) {
  const int rank = c.rank(matrix);
  if (c.has(input) && c.rank(input) > 1) {
    if (c.rank(input) != rank) return c.error("{} has rank {}, not 0, 1 or {}", what, c.rank(input), rank);
    return c.value(input);
  }
  // A vector has no rows or columns of its own.
  return per_axis(c, input, c.shape(matrix), rank < 2 ? -1 : by_row ? rank - 2 : rank - 1, what);
}

struct Indices {
  int a, b, a_zero_point, b_zero_point;
};

Expected<ValueId> product(NodeContext& c, const Indices& at) {
  JITNEY_TRY(const ValueId a_zero, of_matrix(c, at.a_zero_point, at.a, true, "the zero point of A"));
  JITNEY_TRY(const ValueId b_zero, of_matrix(c, at.b_zero_point, at.b, false, "the zero point of B"));
  return c.b.binary(Op::matmul, centered(c.b, c.value(at.a), a_zero), centered(c.b, c.value(at.b), b_zero));
}

/// The convolution in i32. Padding is the zero point, which is 0 once it is subtracted.
Expected<ValueId> convolution(NodeContext& c, const Indices& at, ValueId bias) {
  JITNEY_TRY(const auto kernel, kernel_of(c, at.b, "o, c/group"));
  JITNEY_TRY(Window w, read_window(c, c.shape(at.a), kernel));
  JITNEY_TRY(const ValueId x_zero, per_axis(c, at.a_zero_point, {}, -1, "the zero point of the input"));
  JITNEY_TRY(const ValueId w_zero, per_axis(c, at.b_zero_point, c.shape(at.b), 0, "the zero point of the weight"));
  std::vector<ValueId> inputs{centered(c.b, c.value(at.a), x_zero), centered(c.b, c.value(at.b), w_zero)};
  if (bias != ir::kNoValue) inputs.push_back(c.b.cast(bias, DType::i32));
  return c.b.node(
      Op::conv, std::move(inputs),
      {{"strides", w.strides}, {"dilations", w.dilations}, {"pads", w.pads}, {"groups", c.integer("group", 1)}});
}

/// Both factors must be 8 bits wide: then the sum of 65536 products is safe in i32.
Status check_bytes(NodeContext& c, const Indices& at) {
  for (const int i : {at.a, at.b})
    if (c.dtype(i) != DType::i8 && c.dtype(i) != DType::u8)
      return c.error("input {} is {}; int8 and uint8 are allowed", i, to_string(c.dtype(i)));
  return {};
}

/// sum * (a_scale * b_scale / y_scale), rounded, plus the zero point.
ValueId requantized(NodeContext& c, ValueId sum, ValueId a_scale, ValueId b_scale, ValueId y_scale, ValueId y_zero,
                    DType to) {
  GraphBuilder& b = c.b;
  const auto wide = [&](ValueId v) { return b.cast(v, DType::f32); };
  const ValueId scale = b.binary(Op::div, b.binary(Op::mul, wide(a_scale), wide(b_scale)), wide(y_scale));
  return saturated(b, b.binary(Op::mul, wide(sum), scale), y_zero, to);
}

Status matmul_integer(NodeContext& c) {
  constexpr Indices kAt{0, 1, 2, 3};
  JITNEY_CHECK(check_bytes(c, kAt));
  JITNEY_TRY(const ValueId y, product(c, kAt));
  return c.set(0, y);
}

Status conv_integer(NodeContext& c) {
  constexpr Indices kAt{0, 1, 2, 3};
  JITNEY_CHECK(check_bytes(c, kAt));
  JITNEY_TRY(const ValueId y, convolution(c, kAt, ir::kNoValue));
  return c.set(0, y);
}

Status qlinear_matmul(NodeContext& c) {
  constexpr Indices kAt{0, 3, 2, 5};
  JITNEY_CHECK(check_bytes(c, kAt));
  JITNEY_TRY(const ValueId sum, product(c, kAt));
  JITNEY_TRY(const ValueId a_scale, of_matrix(c, 1, 0, true, "a_scale"));
  JITNEY_TRY(const ValueId b_scale, of_matrix(c, 4, 3, false, "b_scale"));
  JITNEY_CHECK(c.b.status());
  const Shape shape = c.b.shape(sum);
  JITNEY_TRY(const ValueId y_scale, per_axis(c, 6, shape, static_cast<int>(shape.size()) - 2, "y_scale"));
  JITNEY_TRY(const ValueId y_zero, per_axis(c, 7, shape, static_cast<int>(shape.size()) - 2, "y_zero_point"));
  if (!is_quantized(c.dtype(7))) return c.error("y_zero_point is {}", to_string(c.dtype(7)));
  return c.set(0, requantized(c, sum, a_scale, b_scale, y_scale, y_zero, c.dtype(7)));
}

Status qlinear_conv(NodeContext& c) {
  constexpr Indices kAt{0, 3, 2, 5};
  JITNEY_CHECK(check_bytes(c, kAt));
  JITNEY_TRY(const ValueId sum, convolution(c, kAt, c.value(8)));
  JITNEY_TRY(const ValueId x_scale, per_axis(c, 1, {}, -1, "x_scale"));
  JITNEY_TRY(const ValueId w_scale, per_axis(c, 4, c.shape(3), 0, "w_scale"));
  JITNEY_TRY(const ValueId y_scale, per_axis(c, 6, {}, -1, "y_scale"));
  JITNEY_TRY(const ValueId y_zero, per_axis(c, 7, {}, -1, "y_zero_point"));
  if (!is_quantized(c.dtype(7))) return c.error("y_zero_point is {}", to_string(c.dtype(7)));
  // The weight's [o, 1, 1...] becomes [o, 1...] of the output, which lacks the batch in front: one axis fewer.
  ValueId by_channel = w_scale;
  if (c.b.ok() && c.b.rank(w_scale) > 0) {
    Shape line(static_cast<std::size_t>(c.rank(0)) - 1, Dim(1));
    line[0] = c.b.shape(w_scale)[0];
    by_channel = c.b.reshape(w_scale, line);
  }
  return c.set(0, requantized(c, sum, x_scale, by_channel, y_scale, y_zero, c.dtype(7)));
}

}  // namespace

std::span<const OperatorRow> quantized_operators() {
  static constexpr OperatorRow kRows[] = {
      {"MatMulInteger", 10, 2, 4, matmul_integer},
      {"ConvInteger", 10, 2, 4, conv_integer},
      {"QLinearMatMul", 10, 8, 8, qlinear_matmul},
      {"QLinearConv", 10, 8, 9, qlinear_conv},
  };
  return kRows;
}

}  // namespace jitney::onnx
