// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
// Activations that are built from primitive operators, and Clip.
#include <limits>

#include "frontend/onnx/registry.h"

namespace jitney::onnx {
namespace {

using ir::Op;
using ir::ValueId;

/// The input and constants of its dtype, so that formulas read as formulas.
struct Formula {
  explicit Formula(NodeContext& c) : c(c), b(c.b), dtype(c.dtype(0)), x(c.value(0)) {
    // Parameters such as 0.01 have no meaning among integers.
    if (!is_floating(dtype)) b.fail(c.error("its input must be floating point, not {}", to_string(dtype)).value());
  }
  NodeContext& c;
  GraphBuilder& b;
  DType dtype;
  ValueId x;

  ValueId number(double value) const { return b.scalar(value, dtype); }
  ValueId add(ValueId l, ValueId r) const { return b.binary(Op::add, l, r); }
  ValueId mul(ValueId l, ValueId r) const { return b.binary(Op::mul, l, r); }
  ValueId less(ValueId l, ValueId r) const { return b.binary(Op::less, l, r); }
  /// scale (exp(v) - 1)
  ValueId scaled_expm1(double scale, ValueId v) const {
    const ValueId y = b.binary(Op::sub, b.unary(Op::exp, v), number(1));
    return scale == 1 ? y : mul(number(scale), y);
  }
  Status done(ValueId y) const { return c.set(0, y); }
};

Status leaky_relu(NodeContext& c) {
  const Formula f(c);
  return f.done(c.b.where(f.less(f.x, f.number(0)), f.mul(f.x, f.number(c.real("alpha", 0.01))), f.x));
}

Status prelu(NodeContext& c) {
  const ValueId x = c.value(0);
  const ValueId negative = c.b.binary(Op::less, x, c.b.scalar(0, c.dtype(0)));
  return c.set(0, c.b.where(negative, c.b.binary(Op::mul, x, c.value(1)), x));
}

Status elu(NodeContext& c) {
  const Formula f(c);
  return f.done(c.b.where(f.less(f.x, f.number(0)), f.scaled_expm1(c.real("alpha", 1), f.x), f.x));
}

Status selu(NodeContext& c) {
  const double alpha = c.real("alpha", 1.67326319217681884765625);
  const double gamma = c.real("gamma", 1.05070102214813232421875);
  const Formula f(c);
  return f.done(c.b.where(f.less(f.number(0), f.x), f.mul(f.number(gamma), f.x), f.scaled_expm1(gamma * alpha, f.x)));
}

Status celu(NodeContext& c) {
  const double alpha = c.real("alpha", 1);
  if (alpha == 0) return c.error("alpha must not be 0");
  const Formula f(c);
  const ValueId scaled = alpha == 1 ? f.x : c.b.binary(Op::div, f.x, f.number(alpha));
  const ValueId negative = c.b.binary(Op::min, f.number(0), f.scaled_expm1(alpha, scaled));
  return f.done(f.add(c.b.binary(Op::max, f.number(0), f.x), negative));
}

Status thresholded_relu(NodeContext& c) {
  const Formula f(c);
  return f.done(c.b.where(f.less(f.number(c.real("alpha", 1)), f.x), f.x, f.number(0)));
}

Status shrink(NodeContext& c) {
  const double lambda = c.real("lambd", 0.5);
  const double bias = c.real("bias", 0);
  const Formula f(c);
  const ValueId above = c.b.where(f.less(f.number(lambda), f.x), c.b.binary(Op::sub, f.x, f.number(bias)), f.number(0));
  return f.done(c.b.where(f.less(f.x, f.number(-lambda)), f.add(f.x, f.number(bias)), above));
}

Status hard_sigmoid(NodeContext& c) {
  const Formula f(c);
  const ValueId line = f.add(f.mul(f.x, f.number(c.real("alpha", 0.2))), f.number(c.real("beta", 0.5)));
  return f.done(c.b.binary(Op::max, f.number(0), c.b.binary(Op::min, f.number(1), line)));
}

Status softsign(NodeContext& c) {
  const Formula f(c);
  return f.done(c.b.binary(Op::div, f.x, f.add(f.number(1), c.b.unary(Op::abs, f.x))));
}

Status mish(NodeContext& c) {
  const Formula f(c);
  return f.done(f.mul(f.x, c.b.unary(Op::tanh, c.b.unary(Op::softplus, f.x))));
}

Status gelu(NodeContext& c) {
  const std::string kind = c.text("approximate", "none");
  if (kind != "none" && kind != "tanh") return c.error("approximate is '{}'; 'none' and 'tanh' are allowed", kind);
  return c.set(0, c.b.unary(kind == "tanh" ? Op::gelu_tanh : Op::gelu_erf, c.value(0)));
}

Status swish(NodeContext& c) {
  const double alpha = c.real("alpha", 1);
  const Formula f(c);
  if (alpha == 1) return f.done(c.b.unary(Op::silu, f.x));
  return f.done(f.mul(f.x, c.b.unary(Op::sigmoid, f.mul(f.number(alpha), f.x))));
}

Status clip(NodeContext& c) {
  ValueId x = c.value(0);
  const auto apply = [&](Op op, int input, const char* attribute) {
    if (c.opset < 11) {
      if (c.has_attribute(attribute)) x = c.b.binary(op, x, c.b.scalar(c.real(attribute, 0), c.dtype(0)));
    } else if (c.has(input)) {
      x = c.b.binary(op, x, c.b.reshape(c.value(input), {}));
    }
  };
  apply(Op::max, 1, "min");
  apply(Op::min, 2, "max");
  if (x == c.input(0).id) return c.set(0, c.input_pointer(0));
  return c.set(0, x);
}

}  // namespace

std::span<const OperatorRow> activation_operators() {
  static constexpr OperatorRow kRows[] = {
      {"LeakyRelu", 1, 1, 1, leaky_relu},
      {"PRelu", 1, 2, 2, prelu},
      {"Elu", 1, 1, 1, elu},
      {"Selu", 1, 1, 1, selu},
      {"Celu", 12, 1, 1, celu},
      {"ThresholdedRelu", 10, 1, 1, thresholded_relu},
      {"Shrink", 9, 1, 1, shrink},
      {"HardSigmoid", 1, 1, 1, hard_sigmoid},
      {"Softsign", 1, 1, 1, softsign},
      {"Mish", 18, 1, 1, mish},
      {"Gelu", 20, 1, 1, gelu},
      {"Swish", 24, 1, 1, swish},
      {"Clip", 1, 1, 3, clip},
  };
  return kRows;
}

}  // namespace jitney::onnx
