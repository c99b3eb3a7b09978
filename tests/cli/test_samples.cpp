// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <random>

#include "cli/arguments.h"
#include "cli/samples.h"

namespace jitney::cli {
namespace {

std::vector<double> shuffled(int count) {
  std::vector<double> values(static_cast<std::size_t>(count));
  std::iota(values.begin(), values.end(), 1.0);
  std::shuffle(values.begin(), values.end(), std::mt19937(5));
  return values;
}

TEST(Samples, AreExactWhileTheyFit) {
  Samples samples;
  for (const double v : shuffled(1000)) samples.add(v);
  const Latency l = samples.summary();
  EXPECT_EQ(l.iterations, 1000);
  EXPECT_DOUBLE_EQ(l.min, 1);
  EXPECT_DOUBLE_EQ(l.max, 1000);
  EXPECT_DOUBLE_EQ(l.mean, 500.5);
  EXPECT_DOUBLE_EQ(l.median, 500.5);  // numpy.percentile(range(1, 1001), [50, 90, 95, 99])
  EXPECT_DOUBLE_EQ(l.p90, 900.1);
  EXPECT_DOUBLE_EQ(l.p95, 950.05);
  EXPECT_DOUBLE_EQ(l.p99, 990.01);
}

TEST(Samples, BeyondTheirRoomPercentilesAreCloseAndTheRestIsExact) {
  Samples samples(1000);
  for (const double v : shuffled(100'000)) samples.add(v);
  const Latency l = samples.summary();
  EXPECT_EQ(l.iterations, 100'000);
  EXPECT_DOUBLE_EQ(l.min, 1);
  EXPECT_DOUBLE_EQ(l.max, 100'000);
  EXPECT_DOUBLE_EQ(l.mean, 50'000.5);
  EXPECT_NEAR(l.median, 50'000, 5'000);
  EXPECT_NEAR(l.p99, 99'000, 1'000);
}

TEST(Samples, MergedTheyCountAsOne) {
  Samples one(64), two(1024);
  for (int i = 0; i < 1000; ++i) one.add(1);
  for (int i = 0; i < 3000; ++i) two.add(2);
  two.merge(one);
  EXPECT_EQ(two.count(), 4000);
  EXPECT_DOUBLE_EQ(two.summary().mean, 1.75);
  EXPECT_DOUBLE_EQ(percentile({1, 1, 2, 2}, 0.5), 1.5);
  // A quarter of what is kept is 1, although one kept fewer of each of its own.
  EXPECT_DOUBLE_EQ(two.summary().median, 2);
  EXPECT_DOUBLE_EQ(two.summary().min, 1);
  Samples empty;
  empty.merge(Samples());
  EXPECT_EQ(empty.summary().iterations, 0);
  empty.merge(two);
  EXPECT_DOUBLE_EQ(empty.summary().mean, 1.75);
}

TEST(SplitShapes, TakesCommasAndColons) {
  using Strings = std::vector<std::string>;
  EXPECT_EQ(split_shapes("a=1x2,b=3"), (Strings{"a=1x2", "b=3"}));
  EXPECT_EQ(split_shapes("a:1x2,in:0=3"), (Strings{"a=1x2", "in:0=3"}));
  EXPECT_EQ(split_shapes("a:0:1x2"), (Strings{"a:0=1x2"}));
  EXPECT_EQ(split_shapes(""), (Strings{""}));
}

}  // namespace
}  // namespace jitney::cli
