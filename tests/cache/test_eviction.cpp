// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
// A store stays within its limit, whatever the clock does, and loses nothing that is in use.
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>

#include <atomic>
#include <thread>

#include "cache/cache_testing.h"
#include "cache/shared_memory.h"

namespace jitney::cache {
namespace {

using namespace jitney::cache::testing;

std::uint64_t bytes_in(const std::string& folder) {
  std::uint64_t bytes = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder))
    if (!entry.is_directory()) bytes += entry.file_size();
  return bytes;
}

/// Years from now; 0 leaves it.
void set_age(const std::string& path, double years) {
  timespec times[2];
  clock_gettime(CLOCK_REALTIME, &times[0]);
  times[0].tv_sec += static_cast<time_t>(years * 365 * 24 * 3600);
  times[1] = times[0];
  ASSERT_EQ(utimensat(AT_FDCWD, path.c_str(), times, 0), 0);
}

void publish_many(const std::string& folder, int count) {
  const auto writer = open_store(folder, StoreFiles::Options{});
  for (int i = 0; i < count; ++i) {
    const std::string name = std::to_string(i);
    writer->publish(key_of(name), blob_of(content_of(name)));
  }
}

TEST(Eviction, WritersKeepAStoreWithinItsLimit) {
  TempDir dir;
  StoreFiles::Options options;
  options.max_bytes = 60'000;
  for (int process = 0; process < 6; ++process) {
    const auto cache = open_store(dir / "c", options);
    for (int i = 0; i < 10; ++i) {
      const std::string name = std::to_string(process * 10 + i);
      cache->publish(key_of(name), blob_of(content_of(name)));
    }
  }
  publish_many(dir / "c", 0);
  const auto last = open_store(dir / "c", options);
  last->publish(key_of("last"), blob_of(content_of("last")));
  EXPECT_LE(bytes_in(dir / "c"), options.max_bytes);
  EXPECT_GT(last->stats().evicted, 0u);
  EXPECT_EQ(found(*open_store(dir / "c"), key_of("last")), content_of("last"));
}

TEST(Eviction, LeastRecentlyUsedGoFirst) {
  TempDir dir;
  publish_many(dir / "c", 10);
  for (int i = 0; i < 10; ++i) set_age(entry_path(dir / "c", key_of(std::to_string(i))), -10 + i);
  {
    // A hit makes the oldest one young.
    EXPECT_EQ(found(*open_store(dir / "c"), key_of("0")), content_of("0"));
  }
  const auto store = *StoreFiles::open(dir / "c", {});
  const auto removed = store->evict(bytes_in(dir / "c") / 2);
  EXPECT_EQ(removed.files, 5u);
  const auto reader = open_store(dir / "c");
  for (int i = 0; i < 10; ++i) {
    const bool stays = i == 0 || i >= 6;
    EXPECT_EQ(found(*reader, key_of(std::to_string(i))) != "<absent>", stays) << i;
  }
}

/// RELIABILITY 16: times decides the order only, never whether the limit holds or an entry is right.
TEST(Eviction, Mode16_AnyTimesAreRightAndBounded) {
  TempDir dir;
  publish_many(dir / "c", 12);
  for (int i = 0; i < 12; ++i)
    set_age(entry_path(dir / "c", key_of(std::to_string(i))), i % 3 == 0 ? 10 : i % 3 == 1 ? -10 : -40);
  const auto reader = open_store(dir / "c");
  for (int i = 0; i < 12; ++i) {
    EXPECT_EQ(found(*reader, key_of(std::to_string(i))), content_of(std::to_string(i)));
    // A hit corrects what a clock that jumped left behind.
    struct stat status{};
    ASSERT_EQ(stat(entry_path(dir / "c", key_of(std::to_string(i))).c_str(), &status), 0);
    EXPECT_LE(std::abs(static_cast<double>(status.st_mtime - time(nullptr))), 5);
  }
  for (int i = 0; i < 12; ++i) set_age(entry_path(dir / "c", key_of(std::to_string(i))), 10 - i);
  const auto store = *StoreFiles::open(dir / "c", {});
  store->evict(20'000, /*keep_used=*/false);
  EXPECT_LE(bytes_in(dir / "c"), 20'000u);
}

TEST(Eviction, WhatAProcessUsesStays) {
  TempDir dir;
  publish_many(dir / "c", 4);
  SharedMemory<std::atomic<bool>> ready;
  const pid_t user = run_in_child([&] {
    const auto cache = open_store(dir / "c");
    const bool good = found(*cache, key_of("1")) == content_of("1");
    *ready = true;
    if (good) pause();
    return 1;
  });
  while (!*ready) std::this_thread::yield();
  const auto own = open_store(dir / "c", StoreFiles::Options{});
  EXPECT_EQ(found(*own, key_of("2")), content_of("2"));
  own->store()->evict(0);
  EXPECT_EQ(count_files(dir / "c"), 2);
  kill(user, SIGKILL);
  wait_for(user);
  (*StoreFiles::open(dir / "c", {}))->evict(0);
  EXPECT_EQ(count_files(dir / "c"), 1);
  EXPECT_EQ(found(*open_store(dir / "c"), key_of("2")), content_of("2"));
}

/// RELIABILITY 24: readers, writers and evictors at once; whatever is found is right, and what was just written by a
/// process is there for it.
TEST(Eviction, Mode24_EvictorsReadersAndWritersAtOnce) {
  TempDir dir;
  publish_many(dir / "c", 1);
  std::vector<pid_t> children;
  for (int p = 0; p < 4; ++p) {
    children.push_back(run_in_child([&, p] {
      StoreFiles::Options options;
      options.max_bytes = 40'000;
      for (int i = 0; i < 150; ++i) {
        const auto cache = open_store(dir / "c", options);
        const std::string name = std::to_string((i * 5 + p) % 12);
        const std::string text = found(*cache, key_of(name));
        if (text != "<absent>" && text != content_of(name)) return 1;
        cache->publish(key_of(name), blob_of(content_of(name)));
        if (p % 2 == 0) cache->store()->evict(20'000);
        if (found(*cache, key_of(name)) != content_of(name)) return 2;
        // In use here, so that it is on disk still.
        if (!std::filesystem::exists(entry_path(dir / "c", key_of(name)))) return 3;
      }
      return 0;
    }));
  }
  for (const pid_t child : children) EXPECT_EQ(wait_for(child), 0);
}

}  // namespace
}  // namespace jitney::cache
