// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include <signal.h>

#include <chrono>
#include <thread>

#include "cache/cache_testing.h"
#include "cache/entry.h"

namespace jitney::cache {
namespace {

using namespace jitney::cache::testing;

/// Publishes and looks up the same keys as everybody else; 0 if no lookup ever gave wrong bytes.
int hammer(RuntimeCache& cache, int rounds, int shift) {
  for (int i = 0; i < rounds; ++i) {
    const std::string name = std::to_string((i * 7 + shift) % 40);
    const std::string before = found(cache, key_of(name));
    if (before == "<absent>") {
      cache.publish(key_of(name), blob_of(content_of(name)));
    } else if (before != content_of(name)) {
      return 1;
    }
    if (found(cache, key_of(name)) != content_of(name)) return 2;
  }
  return cache.stats().publish_failures == 0 ? 0 : 3;
}

TEST(Processes, Mode18_ThreadsAndProcessesShareAStore) {
  TempDir dir;
  const auto work = [&] {
    const auto cache = open_store(dir / "c");
    int results[4] = {};
    {
      std::vector<std::jthread> threads;
      for (int t = 0; t < 4; ++t) threads.emplace_back([&, t] { results[t] = hammer(*cache, 400, t * 11); });
    }
    for (int result : results) {
      if (result != 0) return result;
    }
    return 0;
  };
  const pid_t one = run_in_child(work), two = run_in_child(work);
  EXPECT_EQ(wait_for(one), 0);
  EXPECT_EQ(wait_for(two), 0);
  const auto cache = open_store(dir / "c");
  for (int i = 0; i < 40; ++i) EXPECT_EQ(found(*cache, key_of(std::to_string(i))), content_of(std::to_string(i)));
  EXPECT_EQ(count_files(dir / "c"), 40);
}

/// Readers open anew each time, so that they always read the disk, while writers replace the same entry.
TEST(Processes, Mode24_ReadersNeverSeeATornEntry) {
  TempDir dir;
  open_store(dir / "c")->publish(key_of("a"), blob_of(content_of("a")));
  const pid_t writer = run_in_child([&] {
    const auto cache = open_store(dir / "c");
    for (int i = 0; i < 1500; ++i) cache->publish(key_of("a"), blob_of(content_of("a")));
    return static_cast<int>(cache->stats().publish_failures);
  });
  int status = 0, reads = 0;
  while (waitpid(writer, &status, WNOHANG) == 0) {
    ASSERT_EQ(found(*open_store(dir / "c"), key_of("a")), content_of("a"));
    ++reads;
  }
  EXPECT_EQ(status, 0);
  EXPECT_GT(reads, 10);
}

TEST(Processes, Mode01_KillingAWriterLeavesNoTornEntry) {
  TempDir dir;
  const int kKills = rounds(100, 10'000);
  int finished_entries = 0, patience = 1;
  open_store(dir / "c");
  for (int kill_number = 0; kill_number < kKills; ++kill_number) {
    const pid_t writer = run_in_child([&] {
      const auto cache = open_store(dir / "c");
      for (int i = 0;; i = (i + 1) % 10) {
        const std::string name = std::to_string(i);
        cache->publish(key_of(name), blob_of(content_of(name)));
      }
      return 0;
    });
    std::this_thread::sleep_for(std::chrono::microseconds(patience * (500 + kill_number % 300 * 13)));
    kill(writer, SIGKILL);
    ASSERT_EQ(wait_for(writer), -SIGKILL);
    const auto cache = open_store(dir / "c");
    for (int i = 0; i < 10; ++i) {
      const std::string name = std::to_string(i), text = found(*cache, key_of(name));
      ASSERT_TRUE(text == content_of(name) || text == "<absent>") << text.substr(0, 40);
      finished_entries += text != "<absent>";
    }
    // Among others who want the processor a writer may not get that far.
    if (finished_entries == 0 && kill_number % 10 == 9) patience *= 2;
  }
  EXPECT_GT(finished_entries, 0);
}

/// A child goes on with its copy and with the disk.
TEST(Processes, Mode22_ForkedChildGoesOn) {
  TempDir dir;
  const auto cache = open_store(dir / "c");
  cache->publish(key_of("a"), blob_of("a"));
  const int code = wait_for(run_in_child([&] {
    cache->publish(key_of("b"), blob_of("b"));
    return found(*cache, key_of("a")) == "a" ? 0 : 1;
  }));
  EXPECT_EQ(code, 0);
  EXPECT_EQ(found(*cache, key_of("b")), "b");
}

}  // namespace
}  // namespace jitney::cache
