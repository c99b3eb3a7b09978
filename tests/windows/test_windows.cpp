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
#include "util/path_text.h"

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
  std::string operator/(const std::string& name) const { return path_text(path_ / path_from_text(name)); }

 private:
  fs::path path_;
};

Blob blob_of(const std::string& text) {
  const auto bytes = std::as_bytes(std::span(text));
  return {bytes.begin(), bytes.end()};
}

std::string name_of(const Key& key) {
  for (const auto& [name, value] : key.fields())
    if (name == "source") return std::string(value);
  return "";
}

/// "right", "wrong", or why there is nothing.
std::string found(RuntimeCache& cache, const Key& key) {
  const auto blob = cache.lookup(key);
  if (!blob) return "<" + std::string(to_string(blob.error())) + ">";
  // Short, so that a difference can be read.
  const std::string text(reinterpret_cast<const char*>((*blob)->data()), (*blob)->size());
  return text == content_of(name_of(key)) ? "right" : "wrong";
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

/// JITNEY_CHECK takes the large number.
int count_for(int few, int many) { return std::getenv("JITNEY_CHECK") != nullptr ? many : few; }

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

TEST(FileLock, SharedInOneProcessKeepsExclusiveOutOfAnother) {
  TempDir dir;
  Child holder("lock-shared \"" + dir / "l" + "\" \"" + dir / "ready" + "\"");
  wait_for_file(dir / "ready");
  EXPECT_TRUE(FileLock::acquire(dir / "l", kTryShared));
  const auto begin = std::chrono::steady_clock::now();
  const auto late = FileLock::acquire(dir / "l", {.timeout = 200ms, .poll = 10ms});
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().fault, LockFailure::Fault::timeout);
  EXPECT_GE(std::chrono::steady_clock::now() - begin, 200ms);
  EXPECT_TRUE(fs::exists(dir / "l")) << "a lock file is never removed";
}

/// Each hold reads a number, and writes the next one; an overlap loses some.
TEST(FileLock, Mode20HoldsOfProcessesNeverOverlap) {
  TempDir dir;
  std::ofstream(dir / "n") << 0;
  const int holds = count_for(100, 2000);
  {
    std::vector<std::unique_ptr<Child>> children;
    for (int p = 0; p < 4; ++p)
      children.push_back(std::make_unique<Child>("count \"" + dir / "n" + "\" " + std::to_string(holds)));
    for (const auto& child : children) EXPECT_EQ(child->wait(), 0);
  }
  int n = 0;
  std::ifstream(dir / "n") >> n;
  EXPECT_EQ(n, 4 * holds);
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
  for (const char* name : {"a", "b", "c"}) EXPECT_EQ(found(*reader, key_of(name)), "right");
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

TEST(Packed, Mode01AKilledSaveLeavesTheOldFileOrTheNewOne) {
  TempDir dir;
  const auto cache = Handle::make({.path = dir / "c", .form = Form::packed, .store = {}});
  cache->publish(key_of("old"), blob_of(content_of("old")));
  ASSERT_TRUE(cache->save(std::nullopt));
  for (int i = 0, n = count_for(10, 300); i < n; ++i) {
    fs::remove(dir / "ready");
    Child saver("save-on \"" + dir / "c" + "\" \"" + dir / "ready" + "\"");
    wait_for_file(dir / "ready");
    std::this_thread::sleep_for(std::chrono::microseconds(i * 1777 % 20'000));
    saver.kill();
    const auto reader = packed(dir / "c");
    EXPECT_EQ(found(*reader, key_of("old")), "right");
    EXPECT_EQ(reader->stats().damaged, 0u);
  }
  // What killed savers left goes with the first save an hour later.
  for (const auto& file : fs::directory_iterator(fs::path(dir / "c").parent_path())) {
    if (file.path().filename().string().find(".jitney-tmp-") != std::string::npos)
      fs::last_write_time(file.path(), fs::file_time_type::clock::now() - 2h);
  }
  std::ofstream(dir / "c.jitney-tmp-1") << "left";
  fs::last_write_time(dir / "c.jitney-tmp-1", fs::file_time_type::clock::now() - 2h);
  cache->publish(key_of("new"), blob_of(content_of("new")));
  ASSERT_TRUE(cache->save(std::nullopt));
  for (const auto& file : fs::directory_iterator(fs::path(dir / "c").parent_path()))
    EXPECT_EQ(file.path().filename().string().find(".jitney-tmp-"), std::string::npos) << file.path();
}

TEST(Packed, ASaveThatGetsNoLockChangesNothingAndSucceedsLater) {
  TempDir dir;
  const auto cache = Handle::make({.path = dir / "c", .form = Form::packed, .store = {}, .lock_timeout = 100ms});
  cache->publish(key_of("a"), blob_of(content_of("a")));
  {
    Child holder("lock \"" + dir / "c.lock" + "\" \"" + dir / "ready" + "\"");
    wait_for_file(dir / "ready");
    EXPECT_FALSE(cache->save(std::nullopt));
    EXPECT_FALSE(fs::exists(dir / "c"));
  }
  EXPECT_TRUE(cache->save(std::nullopt));
  EXPECT_EQ(found(*packed(dir / "c"), key_of("a")), "right");
}

TEST(Packed, IsReadWhileAnotherProcessSaves) {
  TempDir dir;
  const auto cache = Handle::make({.path = dir / "c", .form = Form::packed, .store = {}});
  cache->publish(key_of("old"), blob_of(content_of("old")));
  ASSERT_TRUE(cache->save(std::nullopt));
  Child saver("save-on \"" + dir / "c" + "\" \"" + dir / "ready" + "\"");
  wait_for_file(dir / "ready");
  for (int i = 0; i < 50; ++i) EXPECT_EQ(found(*packed(dir / "c"), key_of("old")), "right");
}

/// "Kürbis" and a character beyond 16 bits.
const std::string kName = "K\xc3\xbcrbis \xf0\x9f\x8e\x83";

TEST(Names, MayHaveCharactersOfAnyLanguage) {
  TempDir dir;
  for (const std::string& path : {dir / kName + ".jkp", dir / kName + "\\"}) {
    const auto cache = Handle::make({.path = path, .form = form_of(path), .store = {}});
    EXPECT_EQ(cache->form(), path.back() == '\\' ? Form::store : Form::packed);
    cache->publish(key_of("a"), blob_of(content_of("a")));
    ASSERT_TRUE(cache->save(std::nullopt));
    const auto other = Handle::make({.path = path, .form = form_of(path), .store = {}});
    ASSERT_TRUE(other->load(std::nullopt));
    EXPECT_EQ(found(*other, key_of("a")), "right");
  }
}

TEST(Store, PublishedAndFoundByAnother) {
  TempDir dir;
  open_store(dir / "s", StoreFiles::Options{})->publish(key_of("a"), blob_of(content_of("a")));
  const auto other = open_store(dir / "s", StoreFiles::Options{});
  EXPECT_EQ(found(*other, key_of("a")), "right");
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

TEST(Store, Mode10AChangedOrCutOffEntryIsNotUsed) {
  TempDir dir;
  open_store(dir / "s", StoreFiles::Options{})->publish(key_of("a"), blob_of(content_of("a")));
  const auto store = *StoreFiles::open(dir / "s", {});
  ASSERT_EQ(store->list().size(), 1u);
  const auto file = store->list().front();
  const std::string path = (fs::path(dir / "s") / file.folder / file.name).string();
  {
    std::fstream bytes(path, std::ios::binary | std::ios::in | std::ios::out);
    bytes.seekp(3000);
    bytes.put('!');
  }
  EXPECT_EQ(found(*open_store(dir / "s", StoreFiles::Options{}), key_of("a")), "<damaged>");
  fs::resize_file(path, 300);
  const auto cache = open_store(dir / "s", StoreFiles::Options{});
  EXPECT_EQ(found(*cache, key_of("a")), "<damaged>");
  cache->publish(key_of("a"), blob_of(content_of("a")));
  EXPECT_EQ(found(*open_store(dir / "s", StoreFiles::Options{}), key_of("a")), "right");
}

/// Adds one to the number in the file, so many times, each under the lock.
int count_up(const std::string& path, int times) {
  for (int i = 0; i < times; ++i) {
    const auto lock = FileLock::acquire(path + ".lock", {.timeout = 60s, .poll = 1ms});
    if (!lock) return 1;
    int n = 0;
    std::ifstream(path) >> n;
    std::ofstream(path) << n + 1;
  }
  return 0;
}

int child_main(const std::string& command, const std::string& path, const std::string& name) {
  if (command == "count") return count_up(path, std::stoi(name));
  if (command == "lock" || command == "lock-shared") {
    const auto lock = FileLock::acquire(path, command == "lock" ? kTry : kTryShared);
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
  if (command == "save-on") {
    for (int i = 0; i < 100'000; ++i) {
      const std::string key = "on-" + std::to_string(i % 20);
      cache->publish(key_of(key), blob_of(content_of(key)));
      if (cache->save(std::nullopt) && i == 0) std::ofstream(name) << "x";
      cache->table().prune(0);
    }
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
