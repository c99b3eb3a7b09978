// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include <sys/resource.h>
#include <sys/stat.h>

#include <atomic>
#include <thread>

#include "cache/cache_testing.h"
#include "cache/entry.h"
#include "cache/orphans.h"
#include "util/atomic_file.h"

namespace jitney::cache {
namespace {

using namespace jitney::cache::testing;

TEST(MemoryCache, KeepsWhatWasPublished) {
  const auto cache = open_cache("none");
  EXPECT_EQ(found(*cache, key_of("a")), "<absent>");
  cache->publish(key_of("a"), blob_of("x"));
  EXPECT_EQ(found(*cache, key_of("a")), "x");
  EXPECT_EQ(cache->describe(), "memory");
  EXPECT_EQ(cache->path(), "");
  const Stats stats = cache->stats();
  EXPECT_EQ(stats.hits, 1u);
  EXPECT_EQ(stats.published, 1u);
  EXPECT_EQ(stats.misses.at(Miss::absent), 1u);
}

TEST(Store, AnotherOpenerFindsWhatWasPublished) {
  TempDir dir;
  const auto one = open_store(dir / "c");
  EXPECT_EQ(one->describe(), "store " + dir / "c");
  EXPECT_EQ(one->path(), dir / "c");
  one->publish(key_of("a"), blob_of(content_of("a")));
  one->publish(key_of("empty"), Blob());
  const auto two = open_cache(dir / "c/");
  EXPECT_EQ(found(*two, key_of("a")), content_of("a"));
  EXPECT_EQ(found(*two, key_of("empty")), "");
  EXPECT_EQ(found(*two, key_of("b")), "<absent>");
  std::filesystem::remove_all(dir / "c");
  EXPECT_EQ(found(*two, key_of("a")), content_of("a"));  // from memory now
  EXPECT_EQ(two->stats().hits, 3u);
}

TEST(Store, MakesPrivateFolders) {
  TempDir dir;
  open_store(dir / "p/q/c")->publish(key_of("a"), blob_of("x"));
  struct stat status{};
  for (const std::string& path :
       {dir / "p", dir / "p/q", dir / "p/q/c", dir / "p/q/c/" + folder_of(key_of("a").file_name())}) {
    ASSERT_EQ(stat(path.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777u, 0700u) << path;
  }
  ASSERT_EQ(stat(entry_path(dir / "p/q/c", key_of("a")).c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777u, 0600u);
  EXPECT_EQ(count_files(dir.path()), 1);
}

TEST(Store, Mode10_DamagedEntryIsCountedAndReplaced) {
  TempDir dir;
  const Key key = key_of("a");
  open_store(dir / "c")->publish(key, blob_of(content_of("a")));
  const std::string path = entry_path(dir / "c", key), good = read_text(path);
  std::string flipped = good;
  flipped[flipped.size() / 2] ^= 1;
  for (const std::string& bad : {flipped, good.substr(0, good.size() / 2), std::string(), std::string(5000, 'x')}) {
    write_text(path, bad);
    const auto cache = open_store(dir / "c");
    EXPECT_FALSE(cache->lookup(key));
    EXPECT_EQ(cache->stats().misses.at(bad.size() == 5000 ? Miss::format : Miss::damaged), 1u);
    cache->publish(key, blob_of(content_of("a")));
    EXPECT_EQ(read_text(path), good);
    EXPECT_EQ(found(*open_store(dir / "c"), key), content_of("a"));
  }
}

TEST(Store, HugeFileIsNotRead) {
  TempDir dir;
  const Key key = key_of("a");
  const auto cache = open_store(dir / "c");
  cache->publish(key, blob_of("x"));
  std::filesystem::resize_file(entry_path(dir / "c", key), std::uintmax_t{1} << 40);  // sparse
  EXPECT_EQ(found(*open_store(dir / "c"), key), "<damaged>");
}

TEST(Store, Mode12_CollidingHashesAreAMissNotAWrongBlob) {
  TempDir dir;
  const StoreFiles::Options collide{.name = [](const Key&) { return std::string(32, '0'); }, .signer = nullptr};
  open_store(dir / "c", collide)->publish(key_of("a"), blob_of("for a"));
  const auto cache = open_store(dir / "c", collide);
  EXPECT_EQ(found(*cache, key_of("b")), "<other key>");
  EXPECT_EQ(found(*cache, key_of("a")), "for a");
  cache->publish(key_of("b"), blob_of("for b"));
  EXPECT_EQ(found(*cache, key_of("a")), "for a");
  EXPECT_EQ(found(*cache, key_of("b")), "for b");
}

TEST(Store, Mode26_SymlinkOrFifoAsEntryIsNotFollowed) {
  TempDir dir;
  const Key key = key_of("a");
  const auto writer = open_store(dir / "c");
  writer->publish(key, blob_of("x"));
  const std::string path = entry_path(dir / "c", key);
  std::filesystem::rename(path, dir / "canary");
  const std::string canary = read_text(dir / "canary");
  std::filesystem::create_symlink(dir / "canary", path);
  EXPECT_EQ(found(*open_store(dir / "c"), key), "<unreadable>");
  writer->publish(key, blob_of("other"));
  EXPECT_EQ(read_text(dir / "canary"), canary);
  EXPECT_FALSE(std::filesystem::is_symlink(path));
  EXPECT_EQ(found(*open_store(dir / "c"), key), "other");
  std::filesystem::remove(path);
  ASSERT_EQ(mkfifo(path.c_str(), 0600), 0);
  EXPECT_EQ(found(*open_store(dir / "c"), key), "<unreadable>");  // and does not wait for a writer
}

TEST(Store, Mode26_SymlinkOrOpenFolderInsideIsNotUsed) {
  TempDir dir;
  const Key key = key_of("a");
  open_store(dir / "c");
  const std::string inner = dir / "c/" + folder_of(key.file_name());
  std::filesystem::create_directory(dir / "elsewhere");
  std::filesystem::create_directory_symlink(dir / "elsewhere", inner);
  auto cache = open_store(dir / "c");
  ::testing::internal::CaptureStderr();
  cache->publish(key, blob_of("x"));
  EXPECT_NE(::testing::internal::GetCapturedStderr().find("kept in memory"), std::string::npos);
  EXPECT_EQ(cache->stats().publish_failures, 1u);
  EXPECT_EQ(count_files(dir / "elsewhere"), 0);
  EXPECT_EQ(found(*cache, key), "x");
  EXPECT_EQ(found(*open_store(dir / "c"), key), "<unreadable>");
  std::filesystem::remove(inner);
  std::filesystem::create_directory(inner);
  chmod(inner.c_str(), 0777);
  EXPECT_EQ(found(*open_store(dir / "c"), key), "<unreadable>");
}

TEST(Store, FolderRemovedWhileInUseIsMadeAgain) {
  TempDir dir;
  const auto cache = open_store(dir / "c");
  cache->publish(key_of("a"), blob_of("a"));
  std::filesystem::remove_all(dir / "c");
  EXPECT_EQ(found(*cache, key_of("b")), "<absent>");
  cache->publish(key_of("b"), blob_of("b"));
  EXPECT_EQ(cache->stats().publish_failures, 0u);
  EXPECT_EQ(found(*open_store(dir / "c"), key_of("b")), "b");
}

TEST(Store, Mode08_SurvivesARemoverThatNeverStops) {
  TempDir dir;
  const auto cache = open_store(dir / "c");
  std::atomic<bool> stop{false};
  std::thread chaos([&] {
    while (!stop) {
      std::error_code ignored;
      std::filesystem::remove_all(dir / "c", ignored);
    }
  });
  for (int i = 0; i < 300; ++i) {
    const std::string name = std::to_string(i);
    cache->publish(key_of(name), blob_of(name));
    EXPECT_EQ(found(*cache, key_of(name)), name);
  }
  stop = true;
  chaos.join();
  cache->publish(key_of("last"), blob_of("last"));
  EXPECT_EQ(found(*open_store(dir / "c"), key_of("last")), "last");
}

TEST(Store, Mode01_OldOrphansAreRemovedYoungOnesStay) {
  TempDir dir;
  open_store(dir / "c")->publish(key_of("a"), blob_of("x"));
  const std::string prefix = dir / "c/" + std::string(AtomicFile::kTempPrefix);
  const auto now = std::filesystem::file_time_type::clock::now();
  for (const auto& [name, age] : {std::pair("old", 61), {"young", 59}, {"future", -100'000}}) {
    write_text(prefix + name, "x");
    std::filesystem::last_write_time(prefix + name, now - std::chrono::minutes(age));
  }
  write_text(dir / "canary", "x");
  write_text(dir / "c/other", "x");
  std::filesystem::last_write_time(dir / "c/other", now - std::chrono::hours(100));
  open_store(dir / "c");
  EXPECT_FALSE(std::filesystem::exists(prefix + "old"));
  EXPECT_TRUE(std::filesystem::exists(prefix + "young"));
  EXPECT_TRUE(std::filesystem::exists(prefix + "future"));
  EXPECT_TRUE(std::filesystem::exists(dir / "c/other"));
  EXPECT_EQ(found(*open_store(dir / "c"), key_of("a")), "x");
}

/// Like a full disk: the file cannot grow. In a child, for the limit holds for the process.
TEST(Store, Mode03_DiskFullKeepsTheBlobWarnsOnceAndLeavesNothing) {
  TempDir dir;
  open_store(dir / "c");
  ::testing::internal::CaptureStderr();
  const int code = wait_for(run_in_child([&] {
    const rlimit small{2000, 2000};  // room for the warning, which goes to a file here
    setrlimit(RLIMIT_FSIZE, &small);
    const auto cache = open_store(dir / "c");
    for (const char* name : {"a", "b", "c"}) {
      cache->publish(key_of(name), blob_of(content_of(name)));
      if (found(*cache, key_of(name)) != content_of(name)) return 1;
    }
    return cache->stats().publish_failures == 3 ? 0 : 2;
  }));
  const std::string text = ::testing::internal::GetCapturedStderr();
  EXPECT_EQ(code, 0);
  EXPECT_EQ(count_files(dir / "c"), 0);
  const auto first = text.find("kept in memory");
  ASSERT_NE(first, std::string::npos) << text;
  EXPECT_EQ(text.find("kept in memory", first + 1), std::string::npos) << text;
}

TEST(Store, Mode07_DescriptorsRunOutAndComeBack) {
  TempDir dir;
  open_store(dir / "c")->publish(key_of("a"), blob_of("x"));
  ::testing::internal::CaptureStderr();
  const int code = wait_for(run_in_child([&] {
    // The undefined-behaviour sanitizer needs descriptors where it meets a type for the first time.
    for (const std::string& path : {dir / "c", std::string("/dev/null/x")}) {
      const auto cache = open_store(path);
      (void)found(*cache, key_of("a"));
      cache->publish(key_of("a"), blob_of("x"));
    }
    rlimit old{};
    getrlimit(RLIMIT_NOFILE, &old);
    const auto open_fds = [] { return std::distance(std::filesystem::directory_iterator("/proc/self/fd"), {}); };
    const auto before = open_fds();
    for (rlim_t limit = 3; limit <= 64; ++limit) {
      const rlimit low{limit, old.rlim_max};
      setrlimit(RLIMIT_NOFILE, &low);
      {
        const auto cache = open_store(dir / "c");
        const std::string text = found(*cache, key_of("a"));
        if (text != "x" && text != "<unreadable>" && text != "<refused place>") return 1;
        if (limit == 64 && text != "x") return 2;
        cache->publish(key_of("b"), blob_of("y"));
        if (found(*cache, key_of("b")) != "y") return 3;
      }
      setrlimit(RLIMIT_NOFILE, &old);
      if (open_fds() != before) return 4;
    }
    return 0;
  }));
  ::testing::internal::GetCapturedStderr();
  EXPECT_EQ(code, 0);
  EXPECT_EQ(count_files(dir / "c"), 2);
}

TEST(OpenCache, EmptySettingIsThePerUserDefault) {
  TempDir dir;
  const char* old = getenv("JITNEY_CACHE_DIR");
  const std::string saved = old ? old : "";
  setenv("JITNEY_CACHE_DIR", (dir / "own").c_str(), 1);
  EXPECT_EQ(open_cache("")->path(), dir / "own");
  old ? setenv("JITNEY_CACHE_DIR", saved.c_str(), 1) : unsetenv("JITNEY_CACHE_DIR");
}

}  // namespace
}  // namespace jitney::cache
