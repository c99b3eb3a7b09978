// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "runtime/memory_plan.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

namespace jitney::runtime {
namespace {

TEST(MemoryPlan, BuffersThatLiveTogetherDoNotOverlap) {
  EXPECT_TRUE(rc::check([] {
    auto count = *rc::gen::inRange(0, 30);
    std::vector<Lifetime> buffers;
    std::size_t total = 0;
    for (int i = 0; i < count; ++i) {
      int first = *rc::gen::inRange(0, 20);
      buffers.push_back({*rc::gen::inRange<std::size_t>(0, 5000), first, first + *rc::gen::inRange(0, 6)});
      total += buffers.back().bytes + 64;
    }
    MemoryPlan plan = plan_memory(buffers, 64);
    RC_ASSERT(plan.bytes <= total);
    for (std::size_t a = 0; a < buffers.size(); ++a) {
      RC_ASSERT(plan.offsets[a] % 64 == 0);
      RC_ASSERT(plan.offsets[a] + buffers[a].bytes <= std::max<std::size_t>(plan.bytes, plan.offsets[a]));
      for (std::size_t b = 0; b < a; ++b) {
        bool together = buffers[a].first <= buffers[b].last && buffers[b].first <= buffers[a].last;
        bool overlap = plan.offsets[a] < plan.offsets[b] + buffers[b].bytes &&
                       plan.offsets[b] < plan.offsets[a] + buffers[a].bytes;
        RC_ASSERT(!(together && overlap && buffers[a].bytes > 0 && buffers[b].bytes > 0));
      }
    }
  }));
}

TEST(MemoryPlan, AChainNeedsTwoBuffers) {
  std::vector<Lifetime> chain;
  for (int i = 0; i < 10; ++i) chain.push_back({1024, i, i + 1});
  EXPECT_EQ(plan_memory(chain, 64).bytes, 2048u);
}

}  // namespace
}  // namespace jitney::runtime
