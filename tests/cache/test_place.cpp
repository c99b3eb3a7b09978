// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include <sys/stat.h>

#include "cache/cache_testing.h"
#include "cache/place.h"

namespace jitney::cache {
namespace {

using namespace jitney::cache::testing;

constexpr uid_t kStranger = 54321, kOther = 54322;

/// Opens a store as an ordinary user; a process of its own, since user ids are the process's.
template <class F>
int as_user(uid_t user, F work) {
  return wait_for(
      run_in_child([&] { return setresgid(user, user, user) != 0 || setresuid(user, user, user) != 0 ? 99 : work(); }));
}

void expect_refused(const std::string& path, const std::string& why) {
  ::testing::internal::CaptureStderr();
  const auto cache = open_store(path);
  const auto again = open_store(path);
  const std::string warning = ::testing::internal::GetCapturedStderr();
  EXPECT_NE(warning.find(why), std::string::npos) << warning;
  EXPECT_EQ(warning.find("not used"), warning.rfind("not used")) << "warned twice: " << warning;
  EXPECT_EQ(cache->describe().find("memory (refused " + path), 0u) << cache->describe();
  EXPECT_NE(cache->describe().find(why), std::string::npos) << cache->describe();
  EXPECT_EQ(cache->path(), "");
  EXPECT_EQ(found(*cache, key_of("a")), "<refused place>");
  cache->publish(key_of("a"), blob_of("x"));
  EXPECT_EQ(found(*cache, key_of("a")), "x");
}

void expect_accepted(const std::string& path) {
  const auto place = open_place(path);
  EXPECT_TRUE(place) << place.error().message;
}

TEST(Place, Mode27_RefusesAFolderThatOthersMayWrite) {
  TempDir dir;
  std::filesystem::create_directory(dir / "c");
  for (const mode_t mode : {0707, 0770, 0722, 01777}) {
    chmod((dir / "c").c_str(), mode);
    const auto place = open_place(dir / "c");
    ASSERT_FALSE(place) << std::oct << mode;
    EXPECT_NE(place.error().message.find("others than its owner"), std::string::npos);
  }
  expect_refused(dir / "c", "others than its owner may write to");
  EXPECT_EQ(count_files(dir.path()), 0);
  for (const mode_t mode : {0700, 0755, 0750}) {
    chmod((dir / "c").c_str(), mode);
    expect_accepted(dir / "c");
  }
}

TEST(Place, Mode27_RefusesAWorldWritableAncestorUnlessSticky) {
  TempDir dir;
  std::filesystem::create_directories(dir / "a/b/c");
  chmod((dir / "a").c_str(), 0777);
  expect_refused(dir / "a/b/c", "it is not sticky");
  expect_refused(dir / "a/new", "it is not sticky");
  EXPECT_FALSE(std::filesystem::exists(dir / "a/new"));
  chmod((dir / "a").c_str(), 01777);
  expect_accepted(dir / "a/b/c");
  chmod((dir / "a").c_str(), 0775);  // group-writable
  expect_accepted(dir / "a/b/c");
}

TEST(Place, RefusesWhatIsNoFolder) {
  TempDir dir;
  write_text(dir / "f", "x");
  expect_refused(dir / "f", "is not a folder");
  expect_refused(dir / "f/c", "is not a folder");
  std::filesystem::create_symlink("loop", dir / "loop");
  expect_refused(dir / "loop/c", "cannot follow");
  EXPECT_FALSE(open_place(""));
  EXPECT_FALSE(open_place(std::string("/tmp/a\0b", 8)));
  EXPECT_EQ(read_text(dir / "f"), "x");
}

TEST(Place, FollowsOwnSymlinksAndDots) {
  TempDir dir;
  std::filesystem::create_directories(dir / "real/sub");
  std::filesystem::create_directory_symlink("real", dir / "relative");
  std::filesystem::create_directory_symlink(dir / "real", dir / "absolute");
  for (const std::string& path : {dir / "relative/sub", dir / "absolute/./sub", dir / "real/../relative//sub/"}) {
    const auto place = open_place(path);
    ASSERT_TRUE(place) << place.error().message;
    EXPECT_EQ((*place)->path, dir / "real/sub");
  }
  std::filesystem::create_directories(dir / "open/c");
  chmod((dir / "open").c_str(), 0777);
  std::filesystem::create_directory_symlink(dir / "open/c", dir / "shortcut");
  EXPECT_FALSE(open_place(dir / "shortcut"));  // the way a link takes counts too
}

TEST(Place, RelativePathsStartAtTheWorkingDirectory) {
  TempDir dir;
  const auto old = std::filesystem::current_path();
  std::filesystem::current_path(dir.path());
  const auto place = open_place("c");
  std::filesystem::current_path(old);
  ASSERT_TRUE(place);
  EXPECT_EQ((*place)->path, dir / "c");
}

class PlaceOwners : public ::testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "changing owners needs root";
    chmod(dir_.path().c_str(), 0755);
  }
  TempDir dir_;
};

TEST_F(PlaceOwners, Mode27_RefusesStrangers) {
  std::filesystem::create_directories(dir_ / "theirs/c");
  std::filesystem::create_directories(dir_ / "mine/c");
  ASSERT_EQ(chown((dir_ / "theirs").c_str(), kStranger, kStranger), 0);
  ASSERT_EQ(chown((dir_ / "mine/c").c_str(), kStranger, kStranger), 0);
  expect_refused(dir_ / "theirs/c", "theirs' belongs to user 54321");
  expect_refused(dir_ / "mine/c", "c' belongs to user 54321");
  EXPECT_EQ(as_user(kOther, [&] { return open_place(dir_ / "theirs/c") ? 1 : 0; }), 0);
}

TEST_F(PlaceOwners, RefusesAStrangersSymlink) {
  std::filesystem::create_directory(dir_ / "mine");
  std::filesystem::create_directory_symlink("mine", dir_ / "link");
  expect_accepted(dir_ / "link");
  ASSERT_EQ(lchown((dir_ / "link").c_str(), kStranger, kStranger), 0);
  const auto place = open_place(dir_ / "link");
  ASSERT_FALSE(place);
  EXPECT_NE(place.error().message.find("link' belongs to user 54321"), std::string::npos) << place.error().message;
}

TEST_F(PlaceOwners, OrdinaryUserUsesOwnFolderInASharedStickyOne) {
  chmod(dir_.path().c_str(), 01777);
  EXPECT_EQ(as_user(kStranger,
                    [&] {
                      const auto cache = open_store(dir_ / "own");
                      cache->publish(key_of("a"), blob_of("x"));
                      return cache->stats().published == 1 && found(*open_store(dir_ / "own"), key_of("a")) == "x" ? 0
                                                                                                                   : 1;
                    }),
            0);
  EXPECT_EQ(as_user(kOther, [&] { return open_place(dir_ / "own") ? 1 : 0; }), 0);
}

TEST_F(PlaceOwners, Mode06_RootsFolderIsAReadOnlyCacheForOthers) {
  open_store(dir_ / "c")->publish(key_of("a"), blob_of(content_of("a")));
  for (const auto& item : std::filesystem::recursive_directory_iterator(dir_.path())) {
    chmod(item.path().c_str(), item.is_directory() ? 0755 : 0644);
  }
  ::testing::internal::CaptureStderr();
  const int code = as_user(kStranger, [&] {
    const auto cache = open_store(dir_ / "c");
    if (cache->describe() != "store " + dir_ / "c" + " (read-only)") return 1;
    if (found(*cache, key_of("a")) != content_of("a")) return 2;
    cache->publish(key_of("b"), blob_of("b"));
    cache->publish(key_of("d"), blob_of("d"));
    if (cache->stats().publish_failures != 2) return 3;
    return found(*cache, key_of("b")) == "b" ? 0 : 4;
  });
  const std::string text = ::testing::internal::GetCapturedStderr();
  EXPECT_EQ(code, 0);
  const auto first = text.find("kept in memory");
  EXPECT_NE(first, std::string::npos) << text;
  EXPECT_EQ(text.find("kept in memory", first + 1), std::string::npos) << text;
  EXPECT_EQ(count_files(dir_ / "c"), 1);
}

TEST_F(PlaceOwners, NoRightToMakeTheFolderIsARefusal) {
  EXPECT_EQ(
      as_user(
          kStranger,
          [&] { return open_store(dir_ / "x/c")->describe().find("Permission denied") != std::string::npos ? 0 : 1; }),
      0);
}

}  // namespace
}  // namespace jitney::cache
