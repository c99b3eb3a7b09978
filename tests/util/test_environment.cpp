// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include <dlfcn.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <stdlib.h>

#include "util/cgroup.h"
#include "util/env.h"
#include "util/log.h"
#include "util/paths.h"
#include "util/temp_dir.h"
#include "util/threads.h"

namespace jitney {
namespace {

using testing::TempDir;
using testing::write_text;

/// Sets or, given null, removes a variable, and puts the old state back.
class ScopedEnv {
 public:
  ScopedEnv(const char* name, const char* value) : name_(name) {
    if (const char* old = getenv(name)) old_ = old;
    apply(value);
  }
  ~ScopedEnv() { apply(old_ ? old_->c_str() : nullptr); }

 private:
  void apply(const char* value) { value ? setenv(name_, value, 1) : unsetenv(name_); }
  const char* name_;
  std::optional<std::string> old_;
};

TEST(Env, IntegersAreChecked) {
  const ScopedEnv guard("JITNEY_TEST_INT", nullptr);
  EXPECT_EQ(env_int("JITNEY_TEST_INT").value(), std::nullopt);
  setenv("JITNEY_TEST_INT", "42", 1);
  EXPECT_EQ(env_int("JITNEY_TEST_INT").value(), 42);
  for (const char* bad : {"x", "4x", " 4", "4.0", "-1", "99999999999999999999", "0x10"}) {
    setenv("JITNEY_TEST_INT", bad, 1);
    const auto value = env_int("JITNEY_TEST_INT");
    ASSERT_FALSE(value) << bad;
    EXPECT_EQ(value.error().kind, ErrorKind::user);
    EXPECT_NE(value.error().message.find("JITNEY_TEST_INT"), std::string::npos);
  }
}

TEST(Paths, CacheDirectoryFollowsTheDocumentedOrder) {
  const ScopedEnv own("JITNEY_CACHE_DIR", nullptr), xdg("XDG_CACHE_HOME", nullptr), home("HOME", "/home/ann");
  EXPECT_EQ(default_cache_directory(), "/home/ann/.cache/jitney");
  setenv("XDG_CACHE_HOME", "relative", 1);
  EXPECT_EQ(default_cache_directory(), "/home/ann/.cache/jitney");
  setenv("XDG_CACHE_HOME", "/xdg", 1);
  EXPECT_EQ(default_cache_directory(), "/xdg/jitney");
  setenv("JITNEY_CACHE_DIR", "/own", 1);
  EXPECT_EQ(default_cache_directory(), "/own");
}

TEST(Paths, ExecutableAndLibraryExist) {
  EXPECT_TRUE(std::filesystem::is_regular_file(executable_path()));
  EXPECT_TRUE(std::filesystem::is_regular_file(library_path()));
  EXPECT_EQ(library_path().front(), '/');
}

TEST(Cgroup, LowestLimitOfAllAncestorsCounts) {
  TempDir dir;
  std::filesystem::create_directories(dir / "a/b");
  write_text(dir / "membership", "0::/a/b\n");
  const CgroupPaths paths{dir.path().string(), dir / "membership"};
  EXPECT_EQ(cgroup_cpu_limit(paths), std::nullopt);
  write_text(dir / "a/b/cpu.max", "max 100000\n");
  EXPECT_EQ(cgroup_cpu_limit(paths), std::nullopt);
  write_text(dir / "a/cpu.max", "150000 100000\n");
  EXPECT_EQ(cgroup_cpu_limit(paths), 1.5);
  write_text(dir / "cpu.max", "400000 100000\n");
  EXPECT_EQ(cgroup_cpu_limit(paths), 1.5);
  write_text(dir / "a/memory.max", "1000000\n");
  write_text(dir / "a/b/memory.max", "max\n");
  EXPECT_EQ(cgroup_memory_limit(paths), 1'000'000u);
}

TEST(Cgroup, VersionOneAndGarbage) {
  TempDir dir;
  std::filesystem::create_directories(dir / "cpu/x");
  write_text(dir / "membership", "garbage\n4:cpuset:/y\n3:cpu,cpuacct:/x\n0::/\n");
  write_text(dir / "cpu/x/cpu.cfs_quota_us", "200000\n");
  write_text(dir / "cpu/x/cpu.cfs_period_us", "100000\n");
  const CgroupPaths paths{dir.path().string(), dir / "membership"};
  EXPECT_EQ(cgroup_cpu_limit(paths), 2.0);
  write_text(dir / "cpu/x/cpu.cfs_quota_us", "-1\n");
  EXPECT_EQ(cgroup_cpu_limit(paths), std::nullopt);
  EXPECT_EQ(cgroup_cpu_limit({dir / "absent", dir / "absent"}), std::nullopt);
}

TEST(Threads, FollowTheAffinityMask) {
  cpu_set_t old, one;
  ASSERT_EQ(sched_getaffinity(0, sizeof old, &old), 0);
  EXPECT_GE(usable_cores(), 1);
  EXPECT_LE(usable_cores(), CPU_COUNT(&old));
  CPU_ZERO(&one);
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (CPU_ISSET(cpu, &old)) {
      CPU_SET(cpu, &one);
      break;
    }
  }
  ASSERT_EQ(sched_setaffinity(0, sizeof one, &one), 0);
  EXPECT_EQ(usable_cores(), 1);
  sched_setaffinity(0, sizeof old, &old);
}

TEST(Log, WarnsOnceAKeyOnStderr) {
  ::testing::internal::CaptureStderr();
  EXPECT_TRUE(warn_once("key a", "first {} message"));
  EXPECT_FALSE(warn_once("key a", "second message"));
  EXPECT_TRUE(warn_once("key b", "third message"));
  log_info("not at this level {}", 1);
  const std::string text = ::testing::internal::GetCapturedStderr();
  EXPECT_NE(text.find("first {} message"), std::string::npos) << text;
  EXPECT_EQ(text.find("second"), std::string::npos);
  EXPECT_NE(text.find("third"), std::string::npos);
  EXPECT_EQ(text.find("not at this level"), std::string::npos);
}

}  // namespace
}  // namespace jitney
