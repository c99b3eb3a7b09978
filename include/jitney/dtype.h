// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include <jitney/export.h>

namespace jitney {

/// Element type of a tensor. The integer values are part of the engine file format: append only.
/// Names follow the ONNX specification (TensorProto.DataType), shortened.
enum class DType : std::uint8_t {
  f32 = 0,
  f64 = 1,
  f16 = 2,
  bf16 = 3,
  i8 = 4,
  i16 = 5,
  i32 = 6,
  i64 = 7,
  u8 = 8,
  u16 = 9,
  u32 = 10,
  u64 = 11,
  boolean = 12,  ///< one byte, 0 or 1
  // What follows is only stored, moved and cast: see is_storage_only.
  f8e4m3fn = 13,
  f8e4m3fnuz = 14,
  f8e5m2 = 15,
  f8e5m2fnuz = 16,
  f8e8m0 = 17,
  f4e2m1 = 18,
  i4 = 19,
  u4 = 20,
  i2 = 21,
  u2 = 22,
};

/// Number of values of DType; they are contiguous from 0.
inline constexpr int kDTypeCount = 23;

/// Bytes of one element.
constexpr std::size_t size_of(DType t) {
  switch (t) {
    case DType::f64:
    case DType::i64:
    case DType::u64: return 8;
    case DType::f32:
    case DType::i32:
    case DType::u32: return 4;
    case DType::f16:
    case DType::bf16:
    case DType::i16:
    case DType::u16: return 2;
    default: return 1;
  }
}

/// True for f32, f64, f16 and bf16.
constexpr bool is_floating(DType t) {
  return t == DType::f32 || t == DType::f64 || t == DType::f16 || t == DType::bf16;
}

/// True for floats of 8 bits and fewer, and for integers of fewer than 8: nothing is computed in them. Each element
/// takes one byte, in its low bits; the others are 0 when written and do not matter when read.
constexpr bool is_storage_only(DType t) { return t >= DType::f8e4m3fn; }

/// True for the signed integers i8 to i64.
constexpr bool is_signed_integer(DType t) { return t >= DType::i8 && t <= DType::i64; }

/// True for the unsigned integers u8 to u64, not for boolean.
constexpr bool is_unsigned_integer(DType t) { return t >= DType::u8 && t <= DType::u64; }

/// True for i8 to u64, not for boolean.
constexpr bool is_integer(DType t) { return is_signed_integer(t) || is_unsigned_integer(t); }

/// Name as users write it: "float32", "int64", "bool" (the names numpy uses, with ml_dtypes:
/// "bfloat16", "float8_e4m3fn", "int4").
JITNEY_EXPORT std::string_view to_string(DType t);

/// Inverse of to_string; nothing for an unknown name.
JITNEY_EXPORT std::optional<DType> dtype_from_string(std::string_view name);

}  // namespace jitney
