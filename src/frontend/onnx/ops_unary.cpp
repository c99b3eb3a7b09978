// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
// Operators with one input and an IR operator of their own.
#include "frontend/onnx/registry.h"

namespace jitney::onnx {
namespace {

using ir::Dim;
using ir::Op;

template <Op op>
Status unary(NodeContext& c) {
  return c.set(0, c.b.unary(op, c.value(0)));
}

Status neg(NodeContext& c) {
  if (c.known(0) && c.dtype(0) != DType::boolean) {
    ShapeTensor result = *c.known(0);
    for (Dim& value : result.values) value = Dim(0) - value;
    if (c.set_known(0, c.dtype(0), std::move(result))) return {};
  }
  return unary<Op::neg>(c);
}

/// Rounding leaves integers as they are (models round extents that they computed as reals).
template <Op op>
Status rounding(NodeContext& c) {
  if (is_integer(c.dtype(0))) return c.set(0, c.input_pointer(0));
  return unary<op>(c);
}

}  // namespace

std::span<const OperatorRow> unary_operators() {
  static constexpr OperatorRow kRows[] = {
      {"Neg", 1, 1, 1, neg},
      {"Abs", 1, 1, 1, unary<Op::abs>},
      {"Sign", 9, 1, 1, unary<Op::sign>},
      {"Floor", 1, 1, 1, rounding<Op::floor>},
      {"Ceil", 1, 1, 1, rounding<Op::ceil>},
      {"Round", 11, 1, 1, rounding<Op::round>},
      {"Sqrt", 1, 1, 1, unary<Op::sqrt>},
      {"Reciprocal", 1, 1, 1, unary<Op::reciprocal>},
      {"Exp", 1, 1, 1, unary<Op::exp>},
      {"Log", 1, 1, 1, unary<Op::log>},
      {"Erf", 9, 1, 1, unary<Op::erf>},
      {"Sin", 7, 1, 1, unary<Op::sin>},
      {"Cos", 7, 1, 1, unary<Op::cos>},
      {"Tan", 7, 1, 1, unary<Op::tan>},
      {"Asin", 7, 1, 1, unary<Op::asin>},
      {"Acos", 7, 1, 1, unary<Op::acos>},
      {"Atan", 7, 1, 1, unary<Op::atan>},
      {"Sinh", 9, 1, 1, unary<Op::sinh>},
      {"Cosh", 9, 1, 1, unary<Op::cosh>},
      {"Asinh", 9, 1, 1, unary<Op::asinh>},
      {"Acosh", 9, 1, 1, unary<Op::acosh>},
      {"Atanh", 9, 1, 1, unary<Op::atanh>},
      {"Tanh", 1, 1, 1, unary<Op::tanh>},
      {"Sigmoid", 1, 1, 1, unary<Op::sigmoid>},
      {"Relu", 1, 1, 1, unary<Op::relu>},
      {"Softplus", 1, 1, 1, unary<Op::softplus>},
      {"HardSwish", 14, 1, 1, unary<Op::hard_swish>},
      {"IsNaN", 9, 1, 1, unary<Op::is_nan>},
      {"BitwiseNot", 18, 1, 1, unary<Op::bitwise_not>},
  };
  return kRows;
}

}  // namespace jitney::onnx
