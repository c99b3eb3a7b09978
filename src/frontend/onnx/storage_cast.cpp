// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "frontend/onnx/storage_cast.h"

#include <cmath>
#include <limits>
#include <optional>

#include "frontend/onnx/arithmetic.h"

namespace jitney::onnx {
namespace {

using ir::Op;
using ir::ValueId;

/// Codes have a sign bit, then exponent and mantissa. Those above `most` are infinity or NaN.
struct Format {
  int exponent_bits, mantissa_bits, bias;
  int most;                     ///< code of the largest number
  std::optional<int> overflow;  ///< code for what is larger, where it does not saturate
  std::optional<int> nan;
  bool signless_nan = false;  ///< NaN has the code of minus zero, and there is none
};

Format format_of(DType dtype) {
  switch (dtype) {
    case DType::f8e4m3fn: return {4, 3, 7, 0x7e, 0x7f, 0x7f};
    case DType::f8e4m3fnuz: return {4, 3, 8, 0x7f, 0x80, 0x80, true};
    case DType::f8e5m2: return {5, 2, 15, 0x7b, 0x7c, 0x7e};
    case DType::f8e5m2fnuz: return {5, 2, 16, 0x7f, 0x80, 0x80, true};
    default: return {2, 1, 1, 7, {}, {}};  // f4e2m1
  }
}

float decoded(DType dtype, int code) {
  if (dtype == DType::f8e8m0)
    return code == 255 ? std::numeric_limits<float>::quiet_NaN() : std::ldexp(1.0f, code - 127);
  const Format f = format_of(dtype);
  const int sign = code >> (f.exponent_bits + f.mantissa_bits),
            rest = code & ((1 << (f.exponent_bits + f.mantissa_bits)) - 1);
  if (f.signless_nan && code == *f.nan) return std::numeric_limits<float>::quiet_NaN();
  if (rest > f.most)
    return f.overflow == rest && f.overflow != f.nan ? (sign ? -INFINITY : INFINITY)
                                                     : std::numeric_limits<float>::quiet_NaN();
  const int exponent = rest >> f.mantissa_bits, mantissa = rest & ((1 << f.mantissa_bits) - 1);
  const float number = exponent == 0 ? std::ldexp(static_cast<float>(mantissa), 1 - f.bias - f.mantissa_bits)
                                     : std::ldexp(static_cast<float>(mantissa + (1 << f.mantissa_bits)),
                                                  exponent - f.bias - f.mantissa_bits);
  return sign ? -number : number;
}

bool is_integer_format(DType t) { return t == DType::i4 || t == DType::u4 || t == DType::i2 || t == DType::u2; }

/// f32 as codes of a format with a mantissa, in u32.
ValueId encoded(GraphBuilder& b, ValueId x, DType to, bool saturate) {
  const Format f = format_of(to);
  const Arithmetic u{b, DType::u32}, real{b, DType::f32};
  const auto number = [&](std::int64_t v) { return u.number(static_cast<double>(v)); };
  const auto right = [&](ValueId v, int by) { return b.binary(Op::shift_right, v, number(by)); };
  const ValueId bits = b.bitcast(x, DType::u32);
  const ValueId magnitude = b.binary(Op::bitwise_and, bits, number(0x7fffffff)), sign = right(bits, 31);
  // A number with full precision: round at the last bit that stays, half to even, and move the exponent's origin.
  const int drop = 23 - f.mantissa_bits;
  const ValueId even = b.binary(Op::bitwise_and, right(magnitude, drop), number(1));
  const ValueId rounded = right(u.add(magnitude, u.add(even, number((1 << (drop - 1)) - 1))), drop);
  const ValueId normal = u.sub(rounded, number(static_cast<std::int64_t>(127 - f.bias) << f.mantissa_bits));
  // One with less: a whole number of the smallest steps, which is its code.
  const ValueId steps = real.mul(b.unary(Op::abs, x), real.number(std::ldexp(1.0, f.bias - 1 + f.mantissa_bits)));
  const ValueId small = b.cast(b.unary(Op::round, steps), DType::u32);
  ValueId code = u.where(u.less(magnitude, number(static_cast<std::int64_t>(128 - f.bias) << 23)), small, normal);
  const ValueId beyond = u.less(number(f.most), code);
  const ValueId limit = number(saturate || !f.overflow ? f.most : *f.overflow);
  code = u.where(beyond, limit, code);
  ValueId with_sign =
      b.binary(Op::bitwise_or, code, b.binary(Op::shift_left, sign, number(f.exponent_bits + f.mantissa_bits)));
  if (f.signless_nan)  // neither zero nor NaN has a sign
    with_sign =
        u.where(b.binary(Op::logical_or, u.equal(code, number(0)), u.equal(code, number(*f.nan))), code, with_sign);
  const ValueId is_nan = u.less(number(0x7f800000), magnitude);
  // Without a code of its own NaN becomes minus zero, as in ONNX's test suite.
  if (!f.nan) return u.where(is_nan, number(std::int64_t{1} << (f.exponent_bits + f.mantissa_bits)), with_sign);
  return u.where(is_nan,
                 f.signless_nan ? number(*f.nan)
                                : b.binary(Op::bitwise_or, number(*f.nan), b.binary(Op::shift_left, sign, number(7))),
                 with_sign);
}

/// f32 as exponents: powers of two.
ValueId encoded_power(GraphBuilder& b, ValueId x, const NarrowingRules& rules) {
  const Arithmetic u{b, DType::u32};
  const auto number = [&](std::int64_t v) { return u.number(static_cast<double>(v)); };
  const ValueId bits = b.bitcast(x, DType::u32);
  const ValueId magnitude = b.binary(Op::bitwise_and, bits, number(0x7fffffff));
  const ValueId exponent = b.binary(Op::shift_right, magnitude, number(23));
  const ValueId mantissa = b.binary(Op::bitwise_and, magnitude, number(0x7fffff));
  ValueId code = exponent;
  if (rules.round_mode != "down") {
    const ValueId up = u.less(number(rules.round_mode == "up" ? 0 : 0x3fffff), mantissa);
    code = u.add(exponent, b.cast(up, DType::u32));
  }
  code = u.where(u.less(number(254), code), number(rules.saturate ? 254 : 255), code);
  const ValueId is_nan = u.less(number(0x7f800000), magnitude);
  const ValueId negative = b.binary(Op::less, x, b.scalar(0, DType::f32));
  return u.where(b.binary(Op::logical_or, is_nan, negative), number(255), code);
}

}  // namespace

int stored_bits(DType dtype) {
  switch (dtype) {
    case DType::f4e2m1:
    case DType::i4:
    case DType::u4: return 4;
    case DType::i2:
    case DType::u2: return 2;
    default: return static_cast<int>(size_of(dtype)) * 8;
  }
}

ValueId widened(GraphBuilder& b, ValueId x) {
  if (!b.ok() || x == ir::kNoValue || !is_storage_only(b.dtype(x))) return x;
  const DType from = b.dtype(x);
  const int bits = stored_bits(from);
  const ValueId code = b.binary(Op::bitwise_and, b.bitcast(x, DType::u8), b.scalar((1 << bits) - 1, DType::u8));
  if (from == DType::u4 || from == DType::u2) return code;
  if (is_integer_format(from)) {
    // The sign bit goes to the top and comes back.
    const ValueId by = b.scalar(8 - bits, DType::i8);
    return b.binary(Op::shift_right, b.binary(Op::shift_left, b.bitcast(code, DType::i8), by), by);
  }
  Tensor table(DType::f32, {std::int64_t{1} << bits});
  for (int i = 0; i < 1 << bits; ++i) table.as<float>()[i] = decoded(from, i);
  const ValueId numbers = b.constant(std::string(to_string(from)) + ".numbers", std::move(table));
  return b.node(Op::gather, {numbers, b.cast(code, DType::i32)}, {{"axis", std::int64_t{0}}});
}

ValueId narrowed(GraphBuilder& b, ValueId x, DType to, const NarrowingRules& rules) {
  if (!b.ok() || x == ir::kNoValue) return ir::kNoValue;
  const int bits = stored_bits(to);
  ValueId code = ir::kNoValue;
  if (is_integer_format(to)) {
    const ValueId whole = b.cast(b.cast(x, DType::i32), DType::u8);
    code = b.binary(Op::bitwise_and, whole, b.scalar((1 << bits) - 1, DType::u8));
  } else {
    const ValueId real = b.cast(x, DType::f32);
    code =
        b.cast(to == DType::f8e8m0 ? encoded_power(b, real, rules) : encoded(b, real, to, rules.saturate), DType::u8);
  }
  return b.bitcast(code, to);
}

}  // namespace jitney::onnx
