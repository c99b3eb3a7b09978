// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
// How a library's choice is made, kept and recalled.
#include <map>

#include "backend/cuda/stopwatch.h"
#include "backend/cuda/support.h"
#include "backend/cuda/tuning.h"

namespace jitney::backend::cuda {
namespace {

struct Kept final : PlanServices {
  bool times = false;
  std::map<std::string, std::string> kept;
  Expected<std::vector<std::byte>> compile(const std::string&, const std::string&) override {
    return internal_error("nothing is compiled here");
  }
  std::optional<std::string> recall(const std::string& key) override {
    const auto found = kept.find(key);
    return found == kept.end() ? std::nullopt : std::optional(found->second);
  }
  void keep(const std::string& key, const std::string& value) override { kept[key] = value; }
  bool times_tactics() const override { return times; }
  std::size_t constant_bytes() const override { return 100; }
};

TEST(Tactics, WhatWasTimedGoesBeforeWhatWasRecommended) {
  Kept services;
  const Tuning tuning{.services = &services, .multiprocessors = 7};
  const std::string key = tuning.key("blas 1", "a product");
  EXPECT_EQ(tuning.recall(key), std::nullopt);
  tuning.keep(key, "first", false);
  EXPECT_EQ(tuning.recall(key), "first");
  services.times = true;
  EXPECT_EQ(tuning.recall(key), std::nullopt) << "it is to be timed";
  tuning.keep(key, "fastest", true);
  EXPECT_EQ(tuning.recall(key), "fastest");
  services.times = false;
  EXPECT_EQ(tuning.recall(key), "fastest") << "and serves whoever does not time";
  services.kept[key] = "garbage";
  EXPECT_EQ(tuning.recall(key), std::nullopt);
}

TEST(Tactics, KeysTellChipsLibrariesAndCallsApart) {
  const Tuning small{.multiprocessors = 7}, large{.multiprocessors = 8};
  EXPECT_NE(small.key("blas 1", "a"), large.key("blas 1", "a"));
  EXPECT_NE(small.key("blas 1", "a"), small.key("blas 2", "a"));
  EXPECT_NE(small.key("blas 1", "a"), small.key("blas 1", "b"));
  Kept large_model;
  const Tuning cached{.services = &large_model, .cache_bytes = 200},
      in_memory{.services = &large_model, .cache_bytes = 99};
  EXPECT_NE(cached.key("blas 1", "a"), in_memory.key("blas 1", "a"));
}

TEST(Tactics, WithoutServicesNothingIsKeptOrTimed) {
  const Tuning tuning;
  tuning.keep("key", "choice", true);
  EXPECT_EQ(tuning.recall("key"), std::nullopt);
  EXPECT_FALSE(tuning.times());
}

TEST(Tactics, TheRecommendedOneStaysUnlessAnotherIsClearlyFaster) {
  const auto chosen = [](std::vector<double> seconds) { return fastest(seconds); };
  EXPECT_EQ(chosen({}), std::nullopt);
  EXPECT_EQ(chosen({-1, -1}), std::nullopt);
  EXPECT_EQ(chosen({1.0, 0.99, 2.0}), 0u);
  EXPECT_EQ(chosen({1.0, 0.9, 0.8}), 2u);
  EXPECT_EQ(chosen({-1, 1.0, 0.99}), 1u);
  EXPECT_EQ(chosen({-1, 1.0, 0.5}), 2u);
}

TEST(Tactics, ARaceIsInTurnsAndDropsWhoCannotRun) {
  std::vector<std::size_t> order;
  const auto least = race(3, [&](std::size_t i) -> Expected<double> {
    order.push_back(i);
    if (i == 1) return environment_error("no");
    return order.size() < 4 ? 100.0 : static_cast<double>(i + 1);
  });
  EXPECT_EQ(least, (std::vector<double>{1, -1, 3}));
  EXPECT_EQ(std::vector(order.begin(), order.begin() + 6), (std::vector<std::size_t>{0, 1, 2, 0, 2, 0}));
}

TEST_F(FakeCuda, StopwatchRunsOnEveryCopyAndLeavesNothing) {
  std::vector<std::vector<char*>> seen;
  {
    Stopwatch stopwatch(*backend_, 0, {100, 3000, 0}, 1);
    const KernelHandle k = kernel("noop");
    const auto took = stopwatch.seconds(64, [&](std::span<char* const> areas, void* scratch, StreamHandle stream) {
      EXPECT_NE(scratch, nullptr);
      seen.emplace_back(areas.begin(), areas.end());
      return launch(k, stream);
    });
    ASSERT_TRUE(took) << took.error().message;
    EXPECT_GE(*took, 0);
    const auto refused = stopwatch.seconds(
        0, [](std::span<char* const>, void*, StreamHandle) -> Status { return environment_error("not today"); });
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().message, "not today");
  }
  ASSERT_TRUE(backend_->synchronize(0, 0));  // until then the memory's end is only on its way
  ASSERT_GT(seen.size(), 2u);
  EXPECT_EQ(seen.back()[0], seen[0][0]);
  EXPECT_NE(seen.back()[1], seen[seen.size() - 2][1]) << "another copy of the weights";
  EXPECT_EQ(backend_->live_bytes(), 0);
}

}  // namespace
}  // namespace jitney::backend::cuda
