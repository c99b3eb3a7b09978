// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
// The part of the cache that has a form of its own on Windows: locks, the store, the packed file. Built with MinGW-w64
// and run under Wine by './dev test-windows'. Other processes are this program again, with arguments.
#include <gtest/gtest.h>
#include <windows.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include "cache/cache_testing_content.h"
#include "cache/handle.h"
#include "util/file_lock.h"

namespace jitney::cache {
namespace {

using namespace jitney::cache::testing;
namespace fs = std::filesystem;
using namespace std::chrono_literals;

std::string g_program;

class TempDir {
 public:
  TempDir() {
    static int count = 0;
    path_ = fs::temp_directory_path() /
            ("jitney-test-" + std::to_string(GetCurrentProcessId()) + "-" + std::to_string(count++));
    fs::create_directories(path_);
  }
  ~TempDir() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  std::string operator/(const std::string& name) const { return (path_ / name).string(); }

 private:
  fs::path path_;
};

Blob blob_of(const std::string& text) {
  const auto bytes = std::as_bytes(std::span(text));
  return {bytes.begin(), bytes.end()};
}

std::string found(RuntimeCache& cache, const Key& key) {
  const auto blob = cache.lookup(key);
  if (!blob) return "<" + std::string(to_string(blob.error())) + ">";
  return {reinterpret_cast<const char*>((*blob)->data()), (*blob)->size()};
}

/// This program again: "COMMAND PATH NAME".
class Child {
 public:
  explicit Child(const std::string& arguments) {
    std::string line = "\"" + g_program + "\" " + arguments;
    STARTUPINFOA start{};
    start.cb = sizeof start;
    if (!CreateProcessA(nullptr, line.data(), nullptr, nullptr, FALSE, 0, nullptr, nullptr, &start, &process_))
      throw std::runtime_error("cannot start " + line);
  }
  ~Child() {
    kill();
    CloseHandle(process_.hProcess);
    CloseHandle(process_.hThread);
  }
  int wait() {
    WaitForSingleObject(process_.hProcess, INFINITE);
    DWORD code = 0;
    GetExitCodeProcess(process_.hProcess, &code);
    return static_cast<int>(code);
  }
  void kill() {
    TerminateProcess(process_.hProcess, 99);
    WaitForSingleObject(process_.hProcess, INFINITE);
  }

 private:
  PROCESS_INFORMATION process_{};
};

void wait_for_file(const std::string& path) {
  for (int i = 0; i < 3000 && !fs::exists(path); ++i) std::this_thread::sleep_for(10ms);
  ASSERT_TRUE(fs::exists(path));
}

constexpr FileLock::Options kTry{.timeout = 0ms};
constexpr FileLock::Options kTryShared{.mode = FileLock::Mode::shared, .timeout = 0ms};

TEST(FileLock, ExcludesWithinAProcess) {
  TempDir dir;
  auto lock = FileLock::acquire(dir / "l", kTry);
  ASSERT_TRUE(lock);
  const auto late = FileLock::acquire(dir / "l", kTry);
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().fault, LockFailure::Fault::timeout);
  lock->release();
  const auto one = FileLock::acquire(dir / "l", kTryShared), two = FileLock::acquire(dir / "l", kTryShared);
  EXPECT_TRUE(one && two);
  EXPECT_FALSE(FileLock::acquire(dir / "l", kTry));
}

TEST(FileLock, ExcludesOtherProcessesUntilTheyDie) {
  TempDir dir;
  Child holder("lock \"" + dir / "l" + "\" \"" + dir / "ready" + "\"");
  wait_for_file(dir / "ready");
  EXPECT_FALSE(FileLock::acquire(dir / "l", kTry));
  EXPECT_FALSE(FileLock::acquire(dir / "l", kTryShared));
  holder.kill();
  EXPECT_TRUE(FileLock::acquire(dir / "l", {.timeout = 2000ms, .poll = 5ms}));
}

std::shared_ptr<Handle> packed(const std::string& path) {
  auto handle = Handle::make({.path = path, .form = Form::packed, .store = {}});
  EXPECT_TRUE(handle->load(std::nullopt));
  return handle;
}

TEST(Packed, SavedMergedAndLoaded) {
  TempDir dir;
  for (const char* name : {"a", "b", "c"}) {
    const auto cache = Handle::make({.path = dir / "sub/c", .form = Form::packed, .store = {}});
    cache->publish(key_of(name), blob_of(content_of(name)));
    ASSERT_TRUE(cache->save(std::nullopt));
  }
  const auto reader = packed(dir / "sub/c");
  for (const char* name : {"a", "b", "c"}) EXPECT_EQ(found(*reader, key_of(name)), content_of(name));
}

TEST(Packed, ForeignFilesAndDamagedOnes) {
  TempDir dir;
  std::ofstream(dir / "text") << "no cache";
  const auto cache = Handle::make({.path = dir / "text", .form = Form::packed, .store = {}});
  cache->publish(key_of("a"), blob_of(content_of("a")));
  EXPECT_FALSE(cache->save(std::nullopt));
  EXPECT_EQ(fs::file_size(dir / "text"), 8u);
  ASSERT_TRUE(cache->save(dir / "c"));
  cache->publish(key_of("b"), blob_of(content_of("b")));
  ASSERT_TRUE(cache->save(dir / "c"));
  {
    std::fstream file(dir / "c", std::ios::binary | std::ios::in | std::ios::out);
    file.seekp(200);
    file.put('!');
  }
  EXPECT_EQ(packed(dir / "c")->table().items().size(), 1u);
}

TEST(Packed, ProcessesGiveTheUnion) {
  TempDir dir;
  {
    std::vector<std::unique_ptr<Child>> children;
    for (int p = 0; p < 4; ++p)
      children.push_back(std::make_unique<Child>("save \"" + dir / "c" + "\" p" + std::to_string(p)));
    for (const auto& child : children) EXPECT_EQ(child->wait(), 0);
  }
  EXPECT_EQ(packed(dir / "c")->table().items().size(), 40u);
}

TEST(Store, PublishedAndFoundByAnother) {
  TempDir dir;
  open_store(dir / "s", StoreFiles::Options{})->publish(key_of("a"), blob_of(content_of("a")));
  const auto other = open_store(dir / "s", StoreFiles::Options{});
  EXPECT_EQ(found(*other, key_of("a")), content_of("a"));
  EXPECT_EQ(found(*other, key_of("b")), "<absent>");
  EXPECT_EQ(found(*other, Key().add("source", "a").add("target", "other")), "<other device>");
}

TEST(Store, ProcessesShareIt) {
  TempDir dir;
  {
    std::vector<std::unique_ptr<Child>> children;
    for (int p = 0; p < 4; ++p)
      children.push_back(std::make_unique<Child>("save \"" + dir / "s/" + "\" p" + std::to_string(p % 2)));
    for (const auto& child : children) EXPECT_EQ(child->wait(), 0);
  }
  const auto store = *StoreFiles::open(dir / "s", {});
  EXPECT_EQ(store->list().size(), 20u);
  EXPECT_GT(store->evict(50'000).files, 0u);
  EXPECT_LT(store->list().size(), 20u);
}

TEST(Store, AClaimIsFreeWhenItsHolderDies) {
  TempDir dir;
  Child holder("claim \"" + dir / "s/" + "\" \"" + dir / "ready" + "\"");
  wait_for_file(dir / "ready");
  const auto store = open_store(dir / "s/", StoreFiles::Options{});
  EXPECT_EQ(store->claim(key_of("x"), 0ms).state(), Claim::State::busy);
  holder.kill();
  EXPECT_EQ(store->claim(key_of("x"), 5s).state(), Claim::State::mine);
}

int child_main(const std::string& command, const std::string& path, const std::string& name) {
  if (command == "lock") {
    const auto lock = FileLock::acquire(path, kTry);
    std::ofstream(name) << "x";
    Sleep(60'000);
    return 0;
  }
  const auto cache = Handle::make({.path = path, .form = form_of(path), .store = {}});
  if (command == "claim") {
    const auto claim = cache->claim(key_of("x"), 1s);
    std::ofstream(name) << "x";
    Sleep(60'000);
    return 0;
  }
  for (int i = 0; i < 10; ++i) {
    const std::string key = name + "-" + std::to_string(i);
    cache->publish(key_of(key), blob_of(content_of(key)));
    if (!cache->save(std::nullopt)) return 1;
  }
  return 0;
}

}  // namespace
}  // namespace jitney::cache

int main(int argc, char** argv) {
  using namespace jitney::cache;
  g_program = argv[0];
  if (argc == 4) return child_main(argv[1], argv[2], argv[3]);
  ::testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
