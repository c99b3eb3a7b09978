// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <numbers>

#include "ir/element.h"
#include "ir/interpret_internal.h"

namespace jitney::ir {
namespace {

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

double apply(Op op, double x) {
  switch (op) {
    case Op::neg: return -x;
    case Op::abs: return std::fabs(x);
    case Op::sign: return x > 0 ? 1 : x < 0 ? -1 : x == 0 ? 0 : x;
    case Op::floor: return std::floor(x);
    case Op::ceil: return std::ceil(x);
    case Op::round: return std::nearbyint(x);  // half to even in the default rounding mode
    case Op::sqrt: return std::sqrt(x);
    case Op::reciprocal: return 1 / x;
    case Op::exp: return std::exp(x);
    case Op::log: return std::log(x);
    case Op::sin: return std::sin(x);
    case Op::cos: return std::cos(x);
    case Op::tan: return std::tan(x);
    case Op::asin: return std::asin(x);
    case Op::acos: return std::acos(x);
    case Op::atan: return std::atan(x);
    case Op::sinh: return std::sinh(x);
    case Op::cosh: return std::cosh(x);
    case Op::asinh: return std::asinh(x);
    case Op::acosh: return std::acosh(x);
    case Op::atanh: return std::atanh(x);
    case Op::tanh: return std::tanh(x);
    case Op::erf: return std::erf(x);
    case Op::sigmoid: return sigmoid(x);
    case Op::relu: return x < 0 ? 0 : x;
    case Op::gelu_erf: return x / 2 * (1 + std::erf(x / std::numbers::sqrt2));
    case Op::gelu_tanh: return x / 2 * (1 + std::tanh(std::sqrt(2 / std::numbers::pi) * (x + 0.044715 * x * x * x)));
    case Op::silu: return x * sigmoid(x);
    case Op::hard_swish: return x * std::clamp(x / 6 + 0.5, 0.0, 1.0);
    case Op::softplus: return x > 0 ? x + std::log1p(std::exp(-x)) : std::log1p(std::exp(x));
    default: return std::isnan(x);  // is_nan
  }
}

/// Integers and bool, in wrapping arithmetic.
template <class C>
C apply(Op op, C x) {
  using U = std::uint64_t;
  switch (op) {
    case Op::neg: return static_cast<C>(U{0} - static_cast<U>(x));
    case Op::abs: return std::is_signed_v<C> && x < C{0} ? static_cast<C>(U{0} - static_cast<U>(x)) : x;
    case Op::sign: return x > C{0} ? C{1} : x == C{0} ? C{0} : static_cast<C>(-1);
    case Op::relu: return std::max(x, C{0});
    case Op::logical_not: return x == C{0};
    case Op::bitwise_not: return ~x;
    default: return x;  // floor, ceil, round
  }
}

}  // namespace

Status interpret_unary(const NodeRun& run) {
  const Op op = run.node.op;
  return with_element(run.in(0).dtype(), [&]<class T>(T) -> Status {
    const T* x = run.in(0).as<T>();
    const std::int64_t n = run.out.num_elements();
    if (gives_boolean(op)) {
      for (std::int64_t i = 0; i < n; ++i) run.out.as<Bool>()[i] = store<Bool>(apply(op, load(x[i])));
    } else if (std::is_same_v<T, Bool>) {  // bitwise_not
      for (std::int64_t i = 0; i < n; ++i) run.out.as<Bool>()[i] = store<Bool>(load(x[i]) == 0 ? 1.0 : 0.0);
    } else {
      for (std::int64_t i = 0; i < n; ++i) run.out.as<T>()[i] = store<T>(apply(op, load(x[i])));
    }
    return {};
  });
}

}  // namespace jitney::ir
