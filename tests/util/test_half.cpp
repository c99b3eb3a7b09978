// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>

#include "util/half.h"

namespace jitney {
namespace {

std::uint32_t bits_of(float f) { return std::bit_cast<std::uint32_t>(f); }

TEST(Half, KnownPatterns) {
  static_assert(f32_to_f16(1.0f) == 0x3c00 && f16_to_f32(0x3c00) == 1.0f);
  EXPECT_EQ(f32_to_f16(-2.0f), 0xc000);
  EXPECT_EQ(f32_to_f16(65504.0f), 0x7bff);
  EXPECT_EQ(f32_to_f16(65519.996f), 0x7bff);
  EXPECT_EQ(f32_to_f16(65520.0f), 0x7c00);             // the tie above the largest goes to infinity
  EXPECT_EQ(f32_to_f16(1.0f + 0x1p-11f), 0x3c00);      // tie to even, down
  EXPECT_EQ(f32_to_f16(1.0f + 3 * 0x1p-11f), 0x3c02);  // tie to even, up
  EXPECT_EQ(f32_to_f16(0x1p-24f), 0x0001);             // smallest subnormal
  EXPECT_EQ(f32_to_f16(0x1p-25f), 0x0000);             // tie to even
  EXPECT_EQ(f32_to_f16(std::nextafter(0x1p-25f, 1.0f)), 0x0001);
  EXPECT_EQ(f32_to_f16(-0.0f), 0x8000);
  EXPECT_EQ(f32_to_bf16(1.0f), 0x3f80);
  EXPECT_EQ(f32_to_bf16(1.0f + 0x1p-8f), 0x3f80);
  EXPECT_EQ(f32_to_bf16(1.0f + 3 * 0x1p-8f), 0x3f82);
  EXPECT_EQ(f32_to_bf16(std::numeric_limits<float>::max()), 0x7f80);
}

TEST(Half, EveryF16PatternComesBack) {
  for (std::uint32_t p = 0; p < 65536; ++p) {
    const auto pattern = static_cast<std::uint16_t>(p);
    const float f = f16_to_f32(pattern);
    const bool nan = (p & 0x7fff) > 0x7c00;
    ASSERT_EQ(std::isnan(f), nan) << p;
    ASSERT_EQ(f32_to_f16(f), nan ? (pattern | 0x200) : pattern) << p;
    if (!nan && (p & 0x7c00) != 0x7c00) {
      const int exponent = (p >> 10) & 31;
      const double value = exponent == 0 ? std::ldexp(p & 1023, -24) : std::ldexp(1024 + (p & 1023), exponent - 25);
      ASSERT_EQ(f, (p & 0x8000) ? -value : value) << p;
    }
  }
}

TEST(Half, EveryBf16PatternComesBack) {
  for (std::uint32_t p = 0; p < 65536; ++p) {
    const auto pattern = static_cast<std::uint16_t>(p);
    const float f = bf16_to_f32(pattern);
    const bool nan = (p & 0x7fff) > 0x7f80;
    ASSERT_EQ(bits_of(f), p << 16);
    ASSERT_EQ(std::isnan(f), nan);
    ASSERT_EQ(f32_to_bf16(f), nan ? (pattern | 0x40) : pattern) << p;
  }
}

/// Between two neighbours the nearer one is taken, at the middle the even one; checked around every midpoint.
TEST(Half, RoundsToNearestEvenAtEveryMidpoint) {
  for (std::uint32_t p = 0; p < 0x7bff; ++p) {
    const float middle = (f16_to_f32(p) + f16_to_f32(p + 1)) / 2;  // exact in float
    ASSERT_EQ(f32_to_f16(middle), (p & 1) ? p + 1 : p) << p;
    ASSERT_EQ(f32_to_f16(std::nextafter(middle, 0.0f)), p);
    ASSERT_EQ(f32_to_f16(std::nextafter(middle, 1e9f)), p + 1);
    ASSERT_EQ(f32_to_f16(-middle), 0x8000u | ((p & 1) ? p + 1 : p));
  }
  for (std::uint32_t p = 0; p < 0x7f7f; ++p) {
    const float middle = std::bit_cast<float>((p << 16) | 0x8000u);
    ASSERT_EQ(f32_to_bf16(middle), (p & 1) ? p + 1 : p) << p;
    ASSERT_EQ(f32_to_bf16(std::nextafter(middle, 0.0f)), p);
    ASSERT_EQ(f32_to_bf16(std::nextafter(middle, std::numeric_limits<float>::max())), p + 1);
  }
}

TEST(Half, NansStayNans) {
  for (std::uint32_t payload : {1u, 0x1fffu, 0x2000u, 0x3fffffu, 0x400000u, 0x7fffffu}) {
    for (std::uint32_t sign : {0u, 0x80000000u}) {
      const float nan = std::bit_cast<float>(sign | 0x7f800000u | payload);
      EXPECT_TRUE(std::isnan(f16_to_f32(f32_to_f16(nan)))) << payload;
      EXPECT_TRUE(std::isnan(bf16_to_f32(f32_to_bf16(nan)))) << payload;
      EXPECT_EQ(f32_to_f16(nan) & 0x8000u, sign >> 16);
    }
  }
}

#ifdef __FLT16_MAX__
TEST(Half, AgreesWithTheCompiler) {
  std::mt19937 random(1);
  for (int i = 0; i < 2'000'000; ++i) {
    const float f = std::bit_cast<float>(static_cast<std::uint32_t>(random()));
    if (std::isnan(f)) continue;
    ASSERT_EQ(f32_to_f16(f), std::bit_cast<std::uint16_t>(static_cast<_Float16>(f))) << f;
  }
}
#endif

}  // namespace
}  // namespace jitney
