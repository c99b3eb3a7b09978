// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
// One compile a key, over threads and processes.
#include <signal.h>

#include <atomic>
#include <thread>

#include "cache/cache_testing.h"
#include "cache/shared_memory.h"

namespace jitney::cache {
namespace {

using namespace jitney::cache::testing;
using namespace std::chrono_literals;
using State = Claim::State;
using Clock = std::chrono::steady_clock;

/// What a context does: looks up, and makes what is missing once it has the right to.
std::string get_or_make(RuntimeCache& cache, const std::string& name, std::atomic<int>& compiles) {
  const Key key = key_of(name);
  if (auto blob = cache.lookup(key)) return text_of(**blob);
  const Claim claim = cache.claim(key, 20s);
  if (claim.state() == State::made) return text_of(*claim.blob());
  ++compiles;
  std::this_thread::sleep_for(3ms);  // a compile
  cache.publish(key, blob_of(content_of(name)));
  return content_of(name);
}

/// RELIABILITY 17.
TEST(Claim, Mode17_ThreadsAndProcessesMakeEachKeyOnce) {
  TempDir dir;
  constexpr int kKeys = 20;
  SharedMemory<std::atomic<int>[kKeys]> compiles;
  const auto process = [&] {
    const auto cache = open_store(dir / "c");
    std::atomic<bool> wrong{false};
    {
      std::vector<std::jthread> threads;
      for (int t = 0; t < 3; ++t) {
        threads.emplace_back([&, t] {
          for (int i = 0; i < kKeys; ++i) {
            const int k = (i * 7 + t) % kKeys;
            const std::string name = std::to_string(k);
            if (get_or_make(*cache, name, (*compiles)[k]) != content_of(name)) wrong = true;
          }
        });
      }
    }
    return wrong ? 1 : 0;
  };
  std::vector<pid_t> children;
  for (int p = 0; p < 4; ++p) children.push_back(run_in_child(process));
  for (const pid_t child : children) EXPECT_EQ(wait_for(child), 0);
  for (int k = 0; k < kKeys; ++k) EXPECT_EQ((*compiles)[k], 1) << k;
}

TEST(Claim, InMemoryThreadsWaitForEachOther) {
  const auto cache = make_memory_cache();
  std::atomic<int> compiles{0};
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 8; ++t) threads.emplace_back([&] { get_or_make(*cache, "a", compiles); });
  }
  EXPECT_EQ(compiles, 1);
  EXPECT_GT(cache->stats().waited + cache->stats().hits, 0u);
}

/// RELIABILITY 20, 34: a holder who dies or fails lets the next one go on, who is told that somebody had it before.
TEST(Claim, Mode34_WaitersTakeOverFromOneWhoFails) {
  const auto cache = make_memory_cache();
  auto first = std::make_unique<Claim>(cache->claim(key_of("a"), 1s));
  EXPECT_EQ(first->state(), State::mine);
  EXPECT_FALSE(first->waited());
  std::jthread failing([&] {
    std::this_thread::sleep_for(50ms);
    first.reset();
  });
  const Claim second = cache->claim(key_of("a"), 10s);
  EXPECT_EQ(second.state(), State::mine);
  EXPECT_TRUE(second.waited());
}

/// Holds the claim on "a" in a process of its own until it is killed.
pid_t start_holder(const std::string& path) {
  SharedMemory<std::atomic<bool>> ready;
  const pid_t holder = run_in_child([&] {
    const auto cache = open_store(path);
    const Claim claim = cache->claim(key_of("a"), 1s);
    *ready = claim.state() == State::mine;
    pause();
    return 0;
  });
  while (!*ready) std::this_thread::sleep_for(1ms);
  return holder;
}

TEST(Claim, Mode20_AKilledHolderIsFollowedAtOnce) {
  TempDir dir;
  const pid_t holder = start_holder(dir / "c");
  const auto cache = open_store(dir / "c");
  EXPECT_EQ(cache->claim(key_of("a"), 0ms).state(), State::busy);
  EXPECT_EQ(cache->claim(key_of("b"), 0ms).state(), State::mine);
  kill(holder, SIGKILL);
  wait_for(holder);
  const auto begin = Clock::now();
  EXPECT_EQ(cache->claim(key_of("a"), 10s).state(), State::mine);
  EXPECT_LT(Clock::now() - begin, 100ms);
}

/// RELIABILITY 21: who waits for a stopped one does so for a bounded time, and then compiles.
TEST(Claim, Mode21_AStoppedHolderCostsThePatience) {
  TempDir dir;
  const pid_t holder = start_holder(dir / "c");
  kill(holder, SIGSTOP);
  const auto cache = open_store(dir / "c");
  const auto begin = Clock::now();
  EXPECT_EQ(cache->claim(key_of("a"), 200ms).state(), State::busy);
  EXPECT_GE(Clock::now() - begin, 200ms);
  EXPECT_LT(Clock::now() - begin, 1s);
  cache->publish(key_of("a"), blob_of("made all the same"));
  EXPECT_EQ(found(*open_store(dir / "c"), key_of("a")), "made all the same");
  kill(holder, SIGKILL);
  wait_for(holder);
}

/// RELIABILITY 25.
TEST(Claim, Mode25_TheSameThreadTwiceEnds) {
  alarm(5);
  TempDir dir;
  for (const auto& cache : {make_memory_cache(), open_store(dir / "c")}) {
    const Claim outer = cache->claim(key_of("a"), 1s);
    EXPECT_EQ(cache->claim(key_of("a"), 20ms).state(), State::busy);
    EXPECT_EQ(cache->claim(key_of("b"), 20ms).state(), State::mine);
  }
  alarm(0);
}

/// RELIABILITY 22: neither does a child hold its parent's claim, nor keep it after the parent.
TEST(Claim, Mode22_AForkedChildHoldsNoClaim) {
  TempDir dir;
  const auto cache = open_store(dir / "c");
  auto claim = std::make_unique<Claim>(cache->claim(key_of("a"), 1s));
  EXPECT_EQ(wait_for(run_in_child([&] {
              claim.reset();  // the child's copy
              return 0;
            })),
            0);
  EXPECT_EQ(open_store(dir / "c")->claim(key_of("a"), 0ms).state(), State::busy);
  const pid_t child = run_in_child([] { return pause(); });
  claim.reset();
  EXPECT_EQ(open_store(dir / "c")->claim(key_of("a"), 0ms).state(), State::mine);
  kill(child, SIGKILL);
  wait_for(child);
}

TEST(Claim, AReadOnlyOrRefusedCacheClaimsWithinTheProcess) {
  TempDir dir;
  std::filesystem::create_directory(dir / "c");
  chmod((dir / "c").c_str(), 0777);
  ::testing::internal::CaptureStderr();
  const auto cache = open_store(dir / "c");
  ::testing::internal::GetCapturedStderr();
  const Claim claim = cache->claim(key_of("a"), 1s);
  EXPECT_EQ(claim.state(), State::mine);
  EXPECT_EQ(cache->claim(key_of("a"), 1ms).state(), State::busy);
}

}  // namespace
}  // namespace jitney::cache
