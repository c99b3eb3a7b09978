// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include "ir/element.h"
#include "ir/interpret_internal.h"
#include "ir/strided.h"

namespace jitney::ir {
namespace {

double floor_mod(double a, double b) {
  const double r = std::fmod(a, b);
  if (r == 0) return std::copysign(r, b);
  return (r < 0) != (b < 0) ? r + b : r;
}

double apply(Op op, double a, double b) {
  switch (op) {
    case Op::add: return a + b;
    case Op::sub: return a - b;
    case Op::mul: return a * b;
    case Op::div: return a / b;
    case Op::mod: return floor_mod(a, b);
    case Op::fmod: return std::fmod(a, b);
    case Op::pow: return std::pow(a, b);
    case Op::min: return std::isnan(a) || a < b ? a : b;
    case Op::max: return std::isnan(a) || a > b ? a : b;
    case Op::equal: return a == b;
    case Op::not_equal: return a != b;
    case Op::less: return a < b;
    default: return a <= b;  // less_equal
  }
}

/// Truncates; by zero gives 0; the lowest integer by -1 wraps.
template <class C>
C divide(C a, C b) {
  if (b == C{0}) return 0;
  if (std::is_signed_v<C> && b == static_cast<C>(-1))
    return static_cast<C>(std::uint64_t{0} - static_cast<std::uint64_t>(a));
  return a / b;
}

/// The remainder of divide(), which has the dividend's sign.
template <class C>
C remainder(C a, C b) {
  if (b == C{0} || (std::is_signed_v<C> && b == static_cast<C>(-1))) return 0;
  return a % b;
}

/// Rounds negative powers towards zero, and 0 to a negative power is 0, as division by zero is.
template <class C>
C power(C base, C exponent) {
  if (std::is_signed_v<C> && exponent < C{0}) {
    if (base == C{1}) return 1;
    if (base == static_cast<C>(-1)) return exponent % C{2} == C{0} ? C{1} : static_cast<C>(-1);
    return 0;
  }
  std::uint64_t result = 1, factor = static_cast<std::uint64_t>(base);
  for (auto e = static_cast<std::uint64_t>(exponent); e != 0; e >>= 1) {
    if (e & 1) result *= factor;
    factor *= factor;
  }
  return static_cast<C>(result);
}

/// Integers and bool, in wrapping arithmetic.
template <class C>
C apply(Op op, C a, C b) {
  using U = std::uint64_t;
  const U ua = static_cast<U>(a), ub = static_cast<U>(b);
  switch (op) {
    case Op::add: return static_cast<C>(ua + ub);
    case Op::sub: return static_cast<C>(ua - ub);
    case Op::mul: return static_cast<C>(ua * ub);
    case Op::div: return divide(a, b);
    case Op::mod: {
      const C r = remainder(a, b);
      return r != C{0} && (r < C{0}) != (b < C{0}) ? r + b : r;
    }
    case Op::fmod: return remainder(a, b);
    case Op::pow: return power(a, b);
    case Op::min: return a < b ? a : b;
    case Op::max: return a > b ? a : b;
    case Op::equal: return a == b;
    case Op::not_equal: return a != b;
    case Op::less: return a < b;
    case Op::less_equal: return a <= b;
    case Op::logical_and:
    case Op::bitwise_and: return a & b;
    case Op::logical_or:
    case Op::bitwise_or: return a | b;
    case Op::logical_xor:
    case Op::bitwise_xor: return a ^ b;
    // Shifting everything out leaves zeros, or the sign; a negative count counts as a large one.
    case Op::shift_left: return ub < 64 ? static_cast<C>(ua << ub) : C{0};
    default: return ub < 64 ? a >> ub : std::is_signed_v<C> && a < C{0} ? static_cast<C>(-1) : C{0};  // shift_right
  }
}

}  // namespace

Status interpret_binary(const NodeRun& run) {
  const Extents& shape = run.out.shape();
  const auto a_strides = broadcast_strides(run.in(0).shape(), shape),
             b_strides = broadcast_strides(run.in(1).shape(), shape);
  if (!a_strides || !b_strides) return internal_error("its inputs do not broadcast to its output");
  return with_element(run.in(0).dtype(), [&]<class T>(T) -> Status {
    const T *a = run.in(0).as<T>(), *b = run.in(1).as<T>();
    StridedWalk at_a(shape, *a_strides), at_b(shape, *b_strides);
    const std::int64_t n = run.out.num_elements();
    for (std::int64_t i = 0; i < n; ++i, at_a.next(), at_b.next()) {
      const auto result = apply(run.node.op, load(a[at_a.offset()]), load(b[at_b.offset()]));
      if (gives_boolean(run.node.op)) {
        run.out.as<Bool>()[i] = store<Bool>(result);
      } else {
        run.out.as<T>()[i] = store<T>(result);
      }
    }
    return {};
  });
}

Status interpret_where(const NodeRun& run) {
  const Extents& shape = run.out.shape();
  const auto c_strides = broadcast_strides(run.in(0).shape(), shape),
             a_strides = broadcast_strides(run.in(1).shape(), shape),
             b_strides = broadcast_strides(run.in(2).shape(), shape);
  if (!c_strides || !a_strides || !b_strides) return internal_error("its inputs do not broadcast to its output");
  return with_element(run.out.dtype(), [&]<class T>(T) -> Status {
    const Bool* c = run.in(0).as<Bool>();
    const T *a = run.in(1).as<T>(), *b = run.in(2).as<T>();
    StridedWalk at_c(shape, *c_strides), at_a(shape, *a_strides), at_b(shape, *b_strides);
    const std::int64_t n = run.out.num_elements();
    for (std::int64_t i = 0; i < n; ++i, at_c.next(), at_a.next(), at_b.next()) {
      run.out.as<T>()[i] = load(c[at_c.offset()]) != 0 ? a[at_a.offset()] : b[at_b.offset()];
    }
    return {};
  });
}

}  // namespace jitney::ir
