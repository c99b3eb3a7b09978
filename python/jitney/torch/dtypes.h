// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <c10/core/ScalarType.h>
#include <jitney/dtype.h>

#include <optional>

namespace jitney::torch_runtime {

/// Nothing for dtypes that the other side has not.
constexpr std::optional<DType> to_dtype(c10::ScalarType type) {
  switch (type) {
    case c10::ScalarType::Float: return DType::f32;
    case c10::ScalarType::Double: return DType::f64;
    case c10::ScalarType::Half: return DType::f16;
    case c10::ScalarType::BFloat16: return DType::bf16;
    case c10::ScalarType::Char: return DType::i8;
    case c10::ScalarType::Short: return DType::i16;
    case c10::ScalarType::Int: return DType::i32;
    case c10::ScalarType::Long: return DType::i64;
    case c10::ScalarType::Byte: return DType::u8;
    case c10::ScalarType::UInt16: return DType::u16;
    case c10::ScalarType::UInt32: return DType::u32;
    case c10::ScalarType::UInt64: return DType::u64;
    case c10::ScalarType::Bool: return DType::boolean;
    case c10::ScalarType::Float8_e4m3fn: return DType::f8e4m3fn;
    case c10::ScalarType::Float8_e4m3fnuz: return DType::f8e4m3fnuz;
    case c10::ScalarType::Float8_e5m2: return DType::f8e5m2;
    case c10::ScalarType::Float8_e5m2fnuz: return DType::f8e5m2fnuz;
    case c10::ScalarType::Float8_e8m0fnu: return DType::f8e8m0;
    default: return std::nullopt;
  }
}

constexpr std::optional<c10::ScalarType> to_scalar_type(DType type) {
  for (int i = 0; i < static_cast<int>(c10::ScalarType::NumOptions); ++i) {
    const auto candidate = static_cast<c10::ScalarType>(i);
    if (to_dtype(candidate) == type) return candidate;
  }
  return std::nullopt;
}

}  // namespace jitney::torch_runtime
