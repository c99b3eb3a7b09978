// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <jitney/dtype.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <type_traits>

#include "util/half.h"

/// Elements of tensors as the reference interpreter sees them. It computes in three types: double for all floating
/// point, rounded once when stored; int64 and uint64 for integers, truncated when stored, which wraps; bool counts as
/// the uint64 0 or 1.
namespace jitney::ir {

struct Half {
  std::uint16_t bits;
};
struct BFloat {
  std::uint16_t bits;
};
struct Bool {
  std::uint8_t byte;
};

template <class T>
inline constexpr bool kIsFloating = std::is_floating_point_v<T> || std::is_same_v<T, Half> || std::is_same_v<T, BFloat>;

/// What elements stored as T are computed in.
template <class T>
using Compute =
    std::conditional_t<kIsFloating<T>, double, std::conditional_t<std::is_signed_v<T>, std::int64_t, std::uint64_t>>;
/// The same for sums and products: unsigned, because that wraps.
template <class T>
using Accumulator = std::conditional_t<kIsFloating<T>, double, std::uint64_t>;

template <class T>
Compute<T> load(T x) {
  if constexpr (std::is_same_v<T, Half>) {
    return f16_to_f32(x.bits);
  } else if constexpr (std::is_same_v<T, BFloat>) {
    return bf16_to_f32(x.bits);
  } else if constexpr (std::is_same_v<T, Bool>) {
    return x.byte != 0 ? 1 : 0;
  } else {
    return x;
  }
}

/// From double, int64 or uint64. Floating point to integer truncates and saturates; NaN becomes 0.
template <class T, class C>
T store(C x) {
  if constexpr (std::is_same_v<T, Half>) {
    return {f32_to_f16(static_cast<float>(x))};
  } else if constexpr (std::is_same_v<T, BFloat>) {
    return {f32_to_bf16(static_cast<float>(x))};
  } else if constexpr (std::is_same_v<T, Bool>) {
    return {static_cast<std::uint8_t>(x != 0)};
  } else if constexpr (std::is_integral_v<T> && std::is_floating_point_v<C>) {
    // The highest 64-bit integers are no doubles; they round up to a power of two, which >= then excludes.
    if (std::isnan(x)) return 0;
    if (x <= static_cast<double>(std::numeric_limits<T>::min())) return std::numeric_limits<T>::min();
    if (x >= static_cast<double>(std::numeric_limits<T>::max())) return std::numeric_limits<T>::max();
    return static_cast<T>(x);
  } else {
    return static_cast<T>(x);
  }
}

/// What the maximum of nothing is: minus infinity, the lowest integer, false.
template <class T>
Compute<T> lowest() {
  if constexpr (kIsFloating<T>) {
    return -std::numeric_limits<double>::infinity();
  } else if constexpr (std::is_same_v<T, Bool>) {
    return 0;
  } else {
    return std::numeric_limits<T>::min();
  }
}

/// What the minimum of nothing is.
template <class T>
Compute<T> highest() {
  if constexpr (kIsFloating<T>) {
    return std::numeric_limits<double>::infinity();
  } else if constexpr (std::is_same_v<T, Bool>) {
    return 1;
  } else {
    return std::numeric_limits<T>::max();
  }
}

/// Calls f with a value of the type that dtype's elements are stored as.
template <class F>
decltype(auto) with_element(DType dtype, F&& f) {
  switch (dtype) {
    case DType::f32: return f(float{});
    case DType::f64: return f(double{});
    case DType::f16: return f(Half{});
    case DType::bf16: return f(BFloat{});
    case DType::i8: return f(std::int8_t{});
    case DType::i16: return f(std::int16_t{});
    case DType::i32: return f(std::int32_t{});
    case DType::i64: return f(std::int64_t{});
    case DType::u8: return f(std::uint8_t{});
    case DType::u16: return f(std::uint16_t{});
    case DType::u32: return f(std::uint32_t{});
    case DType::u64: return f(std::uint64_t{});
    case DType::boolean: return f(Bool{});
    default: break;
  }
  return f(std::uint8_t{});  // only stored: its bits
}

}  // namespace jitney::ir
