// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <random>

#include "cli/statistics.h"

namespace jitney::cli {
namespace {

TEST(Statistics, InterpolatesAsNumpyDoes) {
  std::vector<double> samples(10);
  std::iota(samples.begin(), samples.end(), 1.0);
  std::shuffle(samples.begin(), samples.end(), std::mt19937(3));
  const Latency latency = summarize(samples);
  EXPECT_EQ(latency.iterations, 10);
  EXPECT_DOUBLE_EQ(latency.min, 1);
  EXPECT_DOUBLE_EQ(latency.median, 5.5);
  EXPECT_DOUBLE_EQ(latency.p90, 9.1);  // numpy.percentile(range(1, 11), 90)
  EXPECT_DOUBLE_EQ(latency.p95, 9.55);
  EXPECT_DOUBLE_EQ(latency.p99, 9.91);
  EXPECT_DOUBLE_EQ(latency.mean, 5.5);
  EXPECT_DOUBLE_EQ(latency.max, 10);
}

TEST(Statistics, OneSampleIsEveryPercentile) {
  const Latency latency = summarize({7});
  EXPECT_EQ(latency.min, 7);
  EXPECT_EQ(latency.median, 7);
  EXPECT_EQ(latency.p90, 7);
  EXPECT_EQ(latency.p99, 7);
}

TEST(Statistics, NothingMeasuredIsNotZeroMilliseconds) { EXPECT_EQ(summarize({}).iterations, 0); }

TEST(Statistics, EndsAreTheExtremes) {
  EXPECT_EQ(percentile({1, 2, 4}, 0), 1);
  EXPECT_EQ(percentile({1, 2, 4}, 1), 4);
  EXPECT_EQ(percentile({1, 2, 4}, 0.75), 3);
}

}  // namespace
}  // namespace jitney::cli
