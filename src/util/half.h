// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <bit>
#include <cstdint>

/// Conversions between float and the bit patterns of the two 16-bit types. Narrowing rounds to nearest, ties to
/// even, and overflows to infinity, as IEEE 754 and the hardware do. A NaN stays a NaN: its sign and the payload bits
/// that fit are kept and the quiet bit is set. Subnormals are exact in both directions, whatever the CPU's mode.
namespace jitney {

constexpr float f16_to_f32(std::uint16_t h) {
  const std::uint32_t sign = (h & 0x8000u) << 16;
  const std::uint32_t exponent = (h >> 10) & 0x1fu;
  std::uint32_t mantissa = h & 0x3ffu;
  if (exponent == 0x1f) {  // infinity or NaN
    if (mantissa != 0) mantissa |= 0x200;
    return std::bit_cast<float>(sign | 0x7f800000u | (mantissa << 13));
  }
  if (exponent != 0) return std::bit_cast<float>(sign | ((exponent + 112) << 23) | (mantissa << 13));
  if (mantissa == 0) return std::bit_cast<float>(sign);
  // A subnormal half is a normal float: move its leading one to the implicit place.
  const int shift = std::countl_zero(mantissa) - 21;
  mantissa = (mantissa << shift) & 0x3ffu;
  return std::bit_cast<float>(sign | (static_cast<std::uint32_t>(113 - shift) << 23) | (mantissa << 13));
}

constexpr std::uint16_t f32_to_f16(float f) {
  const auto bits = std::bit_cast<std::uint32_t>(f);
  const auto sign = static_cast<std::uint16_t>((bits >> 16) & 0x8000u);
  const std::uint32_t magnitude = bits & 0x7fffffffu;
  if (magnitude > 0x7f800000u) return static_cast<std::uint16_t>(sign | 0x7e00u | ((magnitude >> 13) & 0x3ffu));
  if (magnitude >= 0x477ff000u) return static_cast<std::uint16_t>(sign | 0x7c00u);  // from 65520 on: infinity
  // Drops `shift` low bits of `value`, rounding to nearest, ties to even; a carry into the exponent is right.
  const auto round = [](std::uint32_t value, int shift) {
    const std::uint32_t odd = (value >> shift) & 1u;
    return (value + (1u << (shift - 1)) - 1 + odd) >> shift;
  };
  if (magnitude >= 0x38800000u) return static_cast<std::uint16_t>(sign | round(magnitude - (112u << 23), 13));
  if (magnitude < 0x33000000u) return sign;  // below half of the smallest subnormal
  const int shift = 126 - static_cast<int>(magnitude >> 23);
  return static_cast<std::uint16_t>(sign | round((magnitude & 0x7fffffu) | 0x800000u, shift));
}

constexpr float bf16_to_f32(std::uint16_t b) { return std::bit_cast<float>(static_cast<std::uint32_t>(b) << 16); }

constexpr std::uint16_t f32_to_bf16(float f) {
  const auto bits = std::bit_cast<std::uint32_t>(f);
  if ((bits & 0x7fffffffu) > 0x7f800000u) return static_cast<std::uint16_t>((bits >> 16) | 0x40u);
  return static_cast<std::uint16_t>((bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16);
}

}  // namespace jitney
