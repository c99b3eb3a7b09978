// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
// Mode 13: what belongs together lies in one entry. Two compilers that differ and are both right may serve one key, in
// turn, and never half and half.
#include <jitney/runtime_cache.h>

#include <thread>

#include "cache/cache_testing.h"

namespace jitney::cache {
namespace {

using namespace jitney::cache::testing;
using namespace std::chrono_literals;

/// What a compiler makes of the key: of its own length, each part naming who made it, which no compression hides.
std::string made_by(const std::string& compiler, int size) {
  std::string text;
  for (int i = 0; static_cast<int>(text.size()) < size; ++i) text += compiler + ":" + std::to_string(i * 2654435761u);
  return text;
}

const std::string kFirst = made_by("first", 40'000), kSecond = made_by("second", 90'000);

bool is_whole(const std::string& text) { return text == kFirst || text == kSecond; }

void write(const std::string& path, const std::string& content) {
  jitney::RuntimeCache cache(path);
  use_handle({std::shared_ptr<void>(), &cache})->publish(key_of("k"), blob_of(content));
  cache.save();
}

std::string read(const std::string& path) {
  jitney::RuntimeCache cache(path);
  cache.load();
  return found(*use_handle({std::shared_ptr<void>(), &cache}), key_of("k"));
}

class Mixed : public ::testing::TestWithParam<const char*> {};

TEST_P(Mixed, Mode13_TwoCompilersNeverMakeOneKernelTogether) {
  TempDir dir;
  const std::string path = dir / GetParam();
  write(path, kFirst);
  const int times = rounds(30, 1500);
  std::vector<pid_t> children;
  for (const std::string* content : {&kFirst, &kSecond}) {
    children.push_back(run_in_child([&] {
      for (int i = 0; i < times; ++i) {
        // A store is replaced by the last who writes; the packed file keeps what it has, so it is begun anew.
        if (path.back() != '/' && i % 3 == 0) unlink(path.c_str());
        write(path, *content);
      }
      return 0;
    }));
  }
  for (int reader = 0; reader < 2; ++reader) {
    children.push_back(run_in_child([&] {
      for (int i = 0; i < 2 * times; ++i) {
        const std::string text = read(path);
        if (!is_whole(text) && text != "<absent>") return 1;
      }
      return 0;
    }));
  }
  for (const pid_t child : children) EXPECT_EQ(wait_for(child), 0);
  EXPECT_TRUE(is_whole(read(path)));
}

INSTANTIATE_TEST_SUITE_P(Forms, Mixed, ::testing::Values("store/", "packed"));

/// One handle used by threads of both.
TEST(MixedThreads, Mode13_TheTableTooHoldsOneOrTheOther) {
  TempDir dir;
  const auto cache = open_store(dir / "s", StoreFiles::Options{});
  std::atomic<bool> stop{false}, mixed{false};
  std::vector<std::jthread> threads;
  for (const std::string* content : {&kFirst, &kSecond})
    threads.emplace_back([&, content] {
      while (!stop) cache->publish(key_of("k"), blob_of(*content));
    });
  for (int i = 0; i < rounds(300, 10'000); ++i) {
    const std::string text = found(*cache, key_of("k"));
    if (!is_whole(text) && text != "<absent>") mixed = true;
  }
  stop = true;
  threads.clear();
  EXPECT_FALSE(mixed);
}

}  // namespace
}  // namespace jitney::cache
