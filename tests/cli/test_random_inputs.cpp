// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <jitney/error.h>

#include <cmath>
#include <cstring>
#include <set>

#include "cli/random_inputs.h"

namespace jitney::cli {
namespace {

TEST(RandomInputs, FloatsAreNormal) {
  constexpr std::int64_t kCount = 100'001;
  const Tensor tensor = random_tensor(DType::f32, {kCount}, 1);
  double sum = 0, squares = 0, within_one = 0;
  for (std::int64_t i = 0; i < kCount; ++i) {
    const double x = tensor.as<float>()[i];
    ASSERT_TRUE(std::isfinite(x));
    sum += x;
    squares += x * x;
    within_one += std::abs(x) < 1;
  }
  // Five standard errors each.
  EXPECT_NEAR(sum / kCount, 0, 5 / std::sqrt(kCount));
  EXPECT_NEAR(squares / kCount, 1, 5 * std::sqrt(2.0 / kCount));
  EXPECT_NEAR(within_one / kCount, 0.6827, 5 * 0.466 / std::sqrt(kCount));
}

TEST(RandomInputs, IntegersAreZeroToNineAndBooleansBoth) {
  const Tensor integers = random_tensor(DType::i64, {1000}, 1), booleans = random_tensor(DType::boolean, {1000}, 1);
  const std::set<std::int64_t> seen(integers.as<std::int64_t>(), integers.as<std::int64_t>() + 1000);
  EXPECT_EQ(seen.size(), 10u);
  EXPECT_EQ(*seen.begin(), 0);
  EXPECT_EQ(*seen.rbegin(), 9);
  EXPECT_EQ(std::set<int>(booleans.as<std::uint8_t>(), booleans.as<std::uint8_t>() + 1000), (std::set<int>{0, 1}));
}

TEST(RandomInputs, TheSeedDecides) {
  for (int i = 0; i < kDTypeCount; ++i) {
    const auto dtype = static_cast<DType>(i);
    const Tensor a = random_tensor(dtype, {99}, 5), b = random_tensor(dtype, {99}, 5),
                 c = random_tensor(dtype, {99}, 6);
    EXPECT_EQ(std::memcmp(a.data(), b.data(), a.num_bytes()), 0) << to_string(dtype);
    EXPECT_NE(std::memcmp(a.data(), c.data(), a.num_bytes()), 0) << to_string(dtype);
  }
}

TEST(RandomInputs, EmptyScalarAndHuge) {
  EXPECT_EQ(random_tensor(DType::f32, {0, 3}, 0).num_elements(), 0);
  EXPECT_EQ(random_tensor(DType::f16, {}, 0).num_elements(), 1);
  EXPECT_THROW(random_tensor(DType::f32, {1 << 20, 1 << 20, 1 << 10}, 0), Error);
}

}  // namespace
}  // namespace jitney::cli
