// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
// jitney::RuntimeCache: what a path means, who saves when, pending bytes, shared tables.
#include <fcntl.h>
#include <jitney/error.h>
#include <jitney/runtime_cache.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <sstream>
#include <thread>

#include "cache/cache_testing.h"
#include "util/file_lock.h"

namespace jitney::cache {
namespace {

using namespace jitney::cache::testing;
using Public = jitney::RuntimeCache;
using Handles = std::shared_ptr<Public>;

/// Not owned: tests say themselves when a handle ends.
std::shared_ptr<RuntimeCache> use(Public& handle) { return use_handle(Handles(Handles(), &handle)); }
void put(Public& handle, const std::string& name) { use(handle)->publish(key_of(name), blob_of(content_of(name))); }
bool has(Public& handle, const std::string& name) { return found(*use(handle), key_of(name)) == content_of(name); }

/// What a file holds, by a handle that reads it anew.
std::size_t count_in(const std::string& path) {
  Public reader(path);
  reader.load();
  return reader.stats().entries;
}

std::string error_of(const std::function<void()>& call) {
  try {
    call();
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

TEST(RuntimeCache, ThePathSaysWhatItIs) {
  TempDir dir;
  std::filesystem::create_directory(dir / "folder");
  EXPECT_EQ(Public("").describe(), "memory");
  EXPECT_EQ(Public(dir / "folder").describe(), "store " + dir / "folder");
  EXPECT_EQ(Public(dir / "new/").describe(), "store " + dir / "new/");
  EXPECT_EQ(Public(dir / "new.cache").describe(), "packed file " + dir / "new.cache");
  EXPECT_EQ(Public(dir / "new.cache").path(), dir / "new.cache");
  EXPECT_EQ(count_files(dir.path()), 0);
}

TEST(RuntimeCache, SavedAndLoaded) {
  TempDir dir;
  Public one(dir / "sub/c");
  EXPECT_FALSE(one.has_cache());
  one.load();  // a missing file is none
  EXPECT_EQ(count_files(dir.path()), 0);
  one.save();  // nor does an empty cache make one
  EXPECT_EQ(count_files(dir.path()), 0);
  put(one, "a");
  EXPECT_TRUE(one.has_cache());
  one.save();
  struct stat status{};
  ASSERT_EQ(stat((dir / "sub/c").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777u, 0600u);
  Public two(dir / "sub/c");
  EXPECT_FALSE(has(two, "a"));
  two.load();
  EXPECT_TRUE(has(two, "a"));
  EXPECT_EQ(two.stats().loaded, 1u);
  EXPECT_EQ(two.stats().hits, 1u);
  EXPECT_EQ(two.stats().misses.at("absent"), 1u);
}

TEST(RuntimeCache, AnEmptyOneNeverReplacesAFile) {
  TempDir dir;
  Public full(dir / "c");
  put(full, "a");
  full.save();
  Public(dir / "c").save();
  EXPECT_EQ(count_in(dir / "c"), 1u);
}

TEST(RuntimeCache, WhatIsNotOursIsNeverOverwritten) {
  TempDir dir;
  Public cache(dir / "thesis.txt");
  put(cache, "a");
  for (const std::string& text : {std::string("x"), std::string(100'000, 'x')}) {
    write_text(dir / "thesis.txt", text);
    EXPECT_NE(error_of([&] { cache.save(); }).find("is not a cache of Jitney's"), std::string::npos);
    EXPECT_NE(error_of([&] { cache.load(); }).find("is not a cache of Jitney's"), std::string::npos);
    EXPECT_EQ(read_text(dir / "thesis.txt"), text);
  }
  std::filesystem::create_symlink(dir / "thesis.txt", dir / "link");
  EXPECT_NE(error_of([&] { cache.save(dir / "link"); }).find("symbolic link"), std::string::npos);
  EXPECT_NE(error_of([&] { cache.save(dir / "thesis.txt/c"); }).find("not a folder"), std::string::npos);
  EXPECT_EQ(read_text(dir / "thesis.txt").size(), 100'000u);
}

TEST(RuntimeCache, IntactEntriesOfADamagedFileAreKept) {
  TempDir dir;
  Public cache(dir / "c");
  for (const char* name : {"a", "b", "c"}) put(cache, name);
  cache.save();
  std::string text = read_text(dir / "c");
  text[text.size() / 2] ^= 1;
  write_text(dir / "c", text);
  chmod((dir / "c").c_str(), 0600);
  EXPECT_EQ(count_in(dir / "c"), 2u);
  Public another(dir / "c");
  put(another, "d");
  another.save();
  Public reader(dir / "c");
  reader.load();
  EXPECT_EQ(reader.stats().entries, 3u);
  EXPECT_EQ(reader.stats().damaged, 0u);
  cache.save();
  EXPECT_EQ(count_in(dir / "c"), 4u);
}

TEST(RuntimeCache, SavesAreMerged) {
  TempDir dir;
  Public one(dir / "c"), two(dir / "c");
  put(one, "a");
  put(two, "b");
  one.save();
  two.save();
  EXPECT_EQ(count_in(dir / "c"), 2u);
}

TEST(RuntimeCache, NothingNewWritesNothing) {
  TempDir dir;
  Public cache(dir / "c");
  put(cache, "a");
  cache.save();
  const auto inode = [&] {
    struct stat status{};
    stat((dir / "c").c_str(), &status);
    return status.st_ino;
  };
  const auto before = inode();
  cache.save();
  cache.autosave();
  EXPECT_EQ(inode(), before);
}

TEST(RuntimeCache, AUserBuiltHandleIsNotSavedOnDeletion) {
  TempDir dir;
  {
    Public cache(dir / "c");
    put(cache, "a");
  }
  {
    put(*Public::scoped(dir / "c", true), "a");
  }
  EXPECT_FALSE(std::filesystem::exists(dir / "c"));
  {
    Public cache(dir / "c", /*autosave_on_del=*/true);
    put(cache, "a");
  }
  EXPECT_EQ(count_in(dir / "c"), 1u);
}

TEST(RuntimeCache, AnOwnedHandleLoadsAtOnceAndSavesAtItsEnd) {
  TempDir dir;
  {
    put(*Public::owned(dir / "c"), "a");
  }
  auto cache = Public::owned(dir / "c");
  EXPECT_TRUE(has(*cache, "a"));
  put(*cache, "b");
  cache.reset();
  EXPECT_EQ(count_in(dir / "c"), 2u);
}

TEST(RuntimeCache, ALoadThatFailsWarnsOrThrows) {
  TempDir dir;
  write_text(dir / "c", "something else");
  ::testing::internal::CaptureStderr();
  auto cache = Public::owned(dir / "c");
  EXPECT_NE(::testing::internal::GetCapturedStderr().find("is not a cache of Jitney's"), std::string::npos);
  put(*cache, "a");
  cache.reset();  // silently
  EXPECT_EQ(read_text(dir / "c"), "something else");
  EXPECT_NE(error_of([&] { Public::scoped(dir / "c", true); }).find("is not a cache"), std::string::npos);
  EXPECT_NE(error_of([&] { Public(dir / "c").load(); }).find("is not a cache"), std::string::npos);
}

TEST(RuntimeCache, OwnedAndScopedHandlesOnOnePathShareEntries) {
  TempDir dir;
  for (const std::string path : {"c", "s/"}) {
    const auto owned = Public::owned(dir / path);
    const auto scoped = Public::scoped(dir / "./" + path, true);
    EXPECT_NE(owned, scoped);
    put(*scoped, "a");
    EXPECT_TRUE(has(*owned, "a"));
    EXPECT_EQ(owned->stats().hits, 1u);
    EXPECT_EQ(scoped->stats().hits, 0u);
    Public own_table(dir / path);
    EXPECT_EQ(own_table.stats().entries, 0u);
  }
}

TEST(RuntimeCache, AStoreIsPublishedToByHandlesThatSave) {
  TempDir dir;
  const std::string path = dir / "s/";
  Public user(path), keeps(path, true);
  put(user, "user");
  EXPECT_FALSE(std::filesystem::exists(path));
  put(keeps, "keeps");
  put(*Public::owned(path), "owned");
  put(*Public::scoped(path, true), "scoped");
  put(*Public::scoped(path, false), "no");
  EXPECT_EQ(count_files(path), 3);
  user.save();
  EXPECT_EQ(count_files(path), 4);
  Public reader(path);
  for (const char* name : {"user", "keeps", "owned", "scoped"}) EXPECT_TRUE(has(reader, name)) << name;
  EXPECT_FALSE(has(reader, "no"));
}

TEST(RuntimeCache, OneFormIsLoadedFromAndSavedToTheOther) {
  TempDir dir;
  Public cache;
  put(cache, "a");
  put(cache, "b");
  cache.save(dir / "s/");
  cache.save(dir / "c");
  EXPECT_EQ(count_files(dir / "s"), 2);
  Public from_store, from_file;
  from_store.load(dir / "s");
  from_file.load(dir / "c");
  EXPECT_EQ(from_store.serialize().size(), from_file.serialize().size());
  EXPECT_TRUE(has(from_store, "b") && has(from_file, "b"));
}

TEST(RuntimeCache, SerializedBytesArePackedFilesAndBack) {
  TempDir dir;
  Public cache;
  EXPECT_TRUE(cache.serialize().empty());
  put(cache, "a");
  const auto bytes = cache.serialize();
  write_text(dir / "c", std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
  chmod((dir / "c").c_str(), 0600);
  EXPECT_EQ(count_in(dir / "c"), 1u);
  std::stringstream stream;
  EXPECT_EQ(cache.save_to_stream(stream), static_cast<std::int64_t>(bytes.size()));
  Public other;
  EXPECT_EQ(other.load_from_stream(stream), static_cast<std::int64_t>(bytes.size()));
  EXPECT_TRUE(has(other, "a"));
}

TEST(RuntimeCache, BytesBeforeFirstUseArePending) {
  Public source;
  put(source, "a");
  const auto bytes = source.serialize();
  Public cache;
  cache.deserialize({});
  EXPECT_TRUE(cache.serialize().empty());
  cache.deserialize(bytes);
  EXPECT_FALSE(cache.has_cache());  // pending bytes do not count
  EXPECT_EQ(cache.stats().entries, 0u);
  EXPECT_EQ(cache.serialize(), bytes);
  EXPECT_TRUE(has(cache, "a"));
  EXPECT_TRUE(cache.has_cache());
  Public more;
  put(more, "b");
  cache.deserialize(more.serialize());
  EXPECT_TRUE(has(cache, "a") && has(cache, "b"));
  EXPECT_NE(error_of([&] { cache.deserialize(blob_of("nonsense")); }).find("no runtime cache"), std::string::npos);
}

TEST(RuntimeCache, PendingBytesTwiceAreMergedAndSaved) {
  TempDir dir;
  Public a, b, cache(dir / "c");
  put(a, "a");
  put(b, "b");
  cache.deserialize(a.serialize());
  cache.deserialize(b.serialize());
  cache.save();
  EXPECT_EQ(count_in(dir / "c"), 2u);
}

TEST(RuntimeCache, MergeTakesTheOthersEntries) {
  Public a, b;
  put(a, "a");
  put(b, "b");
  a.merge(b);
  a.merge(a);
  EXPECT_TRUE(has(a, "b"));
  EXPECT_EQ(a.stats().entries, 2u);
  EXPECT_EQ(b.stats().entries, 1u);
}

TEST(RuntimeCache, EntriesTellWhatThereIs) {
  Public cache;
  put(cache, "a");
  const auto entries = cache.entries();
  ASSERT_EQ(entries.size(), 1u);
  EXPECT_EQ(entries[0].fields.at("source"), "a");
  EXPECT_EQ(entries[0].fields.at("target"), "x86-64-v3");
  EXPECT_EQ(entries[0].id, key_of("a").file_name());
  EXPECT_EQ(entries[0].blob_bytes, content_of("a").size());
}

TEST(RuntimeCache, PruneTakesTheOldestFromMemoryAndFile) {
  TempDir dir;
  Public cache(dir / "c");
  for (int i = 0; i < 10; ++i) put(cache, std::to_string(i));
  cache.save();
  const auto size = std::filesystem::file_size(dir / "c");
  EXPECT_GT(cache.prune(static_cast<std::int64_t>(size) / 2), 0);
  EXPECT_LE(std::filesystem::file_size(dir / "c"), size / 2);
  EXPECT_GE(count_in(dir / "c"), 4u);
  cache.prune(0);
  EXPECT_EQ(count_in(dir / "c"), 0u);
  EXPECT_NE(error_of([&] { cache.prune(-1); }).find("cannot be pruned"), std::string::npos);
}

TEST(RuntimeCache, ALockHeldByOthersBlocksSavingOnly) {
  TempDir dir;
  Handle::Options options{.path = dir / "c", .form = Form::packed, .store = {}};
  options.lock_timeout = std::chrono::milliseconds(150);
  Handle cache(std::move(options));
  cache.publish(key_of("a"), blob_of("a"));
  ASSERT_TRUE(cache.save(std::nullopt));
  const std::string before = read_text(dir / "c");
  cache.publish(key_of("b"), blob_of("b"));
  const int fd = open((dir / "c.lock").c_str(), O_RDWR);
  ASSERT_EQ(flock(fd, LOCK_SH), 0);
  const Status blocked = cache.save(std::nullopt);
  ASSERT_FALSE(blocked);
  EXPECT_NE(blocked.error().message.find("somebody else has held it for 150 ms"), std::string::npos);
  EXPECT_EQ(read_text(dir / "c"), before);
  EXPECT_TRUE(cache.load(std::nullopt));  // readers share
  ASSERT_EQ(flock(fd, LOCK_EX), 0);
  EXPECT_FALSE(cache.load(std::nullopt));
  close(fd);
  ASSERT_TRUE(cache.save(std::nullopt));
  EXPECT_EQ(count_in(dir / "c"), 2u);
}

TEST(RuntimeCache, SavedWhenTheProgramEnds) {
  TempDir dir;
  const int code = wait_for(run_in_child([&] {
    static auto forgotten = Public::owned(dir / "c");
    put(*forgotten, "a");
    std::exit(0);
    return 1;
  }));
  EXPECT_EQ(code, 0);
  EXPECT_EQ(count_in(dir / "c"), 1u);
}

/// RELIABILITY 27, for a file beside others.
TEST(RuntimeCache, Mode27_FilesThatOthersMayWriteAreRefused) {
  TempDir dir;
  Public cache(dir / "c");
  put(cache, "a");
  cache.save();
  for (const mode_t mode : {0620, 0602, 0666}) {
    chmod((dir / "c").c_str(), mode);
    EXPECT_NE(error_of([&] { Public(dir / "c").load(); }).find("others than its owner"), std::string::npos);
    EXPECT_NE(error_of([&] { cache.save(); }).find("others than its owner"), std::string::npos);
  }
  chmod((dir / "c").c_str(), 0644);
  EXPECT_EQ(count_in(dir / "c"), 1u);
  chmod(dir.path().c_str(), 0777);
  EXPECT_NE(error_of([&] { Public(dir / "c").load(); }).find("not sticky"), std::string::npos);
  chmod(dir.path().c_str(), 01777);
  EXPECT_EQ(count_in(dir / "c"), 1u);
  if (geteuid() != 0) GTEST_SKIP() << "changing owners needs root";
  ASSERT_EQ(chown((dir / "c").c_str(), 54321, 54321), 0);
  EXPECT_NE(error_of([&] { Public(dir / "c").load(); }).find("belongs to user 54321"), std::string::npos);
  EXPECT_NE(error_of([&] { cache.save(); }).find("belongs to user 54321"), std::string::npos);
}

}  // namespace
}  // namespace jitney::cache
