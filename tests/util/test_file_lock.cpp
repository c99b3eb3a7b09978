// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <thread>
#include <vector>

#include "util/file_lock.h"
#include "util/temp_dir.h"

namespace jitney {
namespace {

using namespace std::chrono_literals;
using testing::TempDir;
using Clock = std::chrono::steady_clock;
using Fault = LockFailure::Fault;
using Mode = FileLock::Mode;

constexpr FileLock::Options kTry{.timeout = 0ms};
constexpr FileLock::Options kTryShared{.mode = Mode::shared, .timeout = 0ms};

std::string outcome(const std::string& path, const FileLock::Options& options) {
  const auto lock = FileLock::acquire(path, options);
  if (lock) return "locked";
  switch (lock.error().fault) {
    case Fault::timeout: return "timeout";
    case Fault::unsupported: return "unsupported";
    case Fault::refused: return "refused";
  }
  return "";
}

template <class F>
pid_t in_child(F work) {
  const pid_t child = fork();
  if (child == 0) _exit(work());
  return child;
}

int wait_for(pid_t child) {
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

/// One byte through a pipe: "I am there".
struct Signal {
  int fds[2];
  Signal() { EXPECT_EQ(pipe(fds), 0); }
  ~Signal() { close(fds[0]), close(fds[1]); }
  void send() const { (void)!write(fds[1], "x", 1); }
  void wait() const {
    char c;
    (void)!read(fds[0], &c, 1);
  }
};

TEST(FileLock, ExclusiveExcludesEverybody) {
  TempDir dir;
  auto lock = FileLock::acquire(dir / "l", kTry);
  ASSERT_TRUE(lock);
  EXPECT_EQ(outcome(dir / "l", kTry), "timeout");
  EXPECT_EQ(outcome(dir / "l", kTryShared), "timeout");
  lock->release();
  EXPECT_FALSE(lock->owns());
  EXPECT_EQ(outcome(dir / "l", kTry), "locked");
  EXPECT_EQ(outcome(dir / "l", kTryShared), "locked");
}

TEST(FileLock, SharedExcludesWritersOnly) {
  TempDir dir;
  const auto one = FileLock::acquire(dir / "l", kTryShared), two = FileLock::acquire(dir / "l", kTryShared);
  ASSERT_TRUE(one && two);
  EXPECT_EQ(outcome(dir / "l", kTry), "timeout");
}

TEST(FileLock, TimeoutEdges) {
  TempDir dir;
  const auto held = FileLock::acquire(dir / "l", kTry);
  for (const auto timeout : {0ms, 1ms, 120ms}) {
    const auto begin = Clock::now();
    const auto lock = FileLock::acquire(dir / "l", {.timeout = timeout, .poll = 50ms});
    const auto took = Clock::now() - begin;
    ASSERT_FALSE(lock);
    EXPECT_GE(took, timeout);
    EXPECT_LT(took, timeout + 500ms);
  }
}

TEST(FileLock, WithoutLimitItWaits) {
  TempDir dir;
  auto held = FileLock::acquire(dir / "l", kTry);
  std::jthread later([&] {
    std::this_thread::sleep_for(100ms);
    held->release();
  });
  EXPECT_EQ(outcome(dir / "l", {.timeout = -1ms, .poll = 5ms}), "locked");
}

TEST(FileLock, MovesWithItsLock) {
  TempDir dir;
  auto one = FileLock::acquire(dir / "l", kTry);
  FileLock two = std::move(*one);
  EXPECT_FALSE(one->owns());
  EXPECT_TRUE(two.owns());
  EXPECT_EQ(outcome(dir / "l", kTry), "timeout");
  auto other = FileLock::acquire(dir / "m", kTry);
  two = std::move(*other);  // gives up the first
  EXPECT_EQ(outcome(dir / "l", kTry), "locked");
  EXPECT_EQ(outcome(dir / "m", kTry), "timeout");
}

TEST(FileLock, NeverRemovesNorWritesTheFile) {
  TempDir dir;
  testing::write_text(dir / "l", "mine");
  {
    const auto lock = FileLock::acquire(dir / "l", kTry);
  }
  EXPECT_EQ(testing::read_text(dir / "l"), "mine");
  {
    const auto lock = FileLock::acquire(dir / "new", kTry);
  }
  EXPECT_TRUE(std::filesystem::exists(dir / "new"));
}

TEST(FileLock, ARawFlockExcludesIt) {
  TempDir dir;
  testing::write_text(dir / "l", "");
  const int fd = open((dir / "l").c_str(), O_RDWR);
  ASSERT_EQ(flock(fd, LOCK_SH), 0);
  EXPECT_EQ(outcome(dir / "l", kTry), "timeout");
  EXPECT_EQ(outcome(dir / "l", kTryShared), "locked");
  close(fd);
  EXPECT_EQ(outcome(dir / "l", kTry), "locked");
}

TEST(FileLock, LinksAndOddFilesAreRefused) {
  TempDir dir;
  testing::write_text(dir / "victim", "as it was");
  std::filesystem::create_symlink(dir / "victim", dir / "link");
  ASSERT_EQ(mkfifo((dir / "fifo").c_str(), 0600), 0);
  std::filesystem::create_directory(dir / "folder");
  for (const char* name : {"link", "fifo", "folder", "no/such/folder"}) EXPECT_EQ(outcome(dir / name, kTry), "refused");
  EXPECT_EQ(testing::read_text(dir / "victim"), "as it was");
}

/// RELIABILITY 19.
TEST(FileLock, Mode19_RemovedLockFileIsLockedAgain) {
  TempDir dir;
  auto old = FileLock::acquire(dir / "l", kTry);
  std::filesystem::remove(dir / "l");
  const auto fresh = FileLock::acquire(dir / "l", kTry);  // whoever holds the removed file excludes nobody
  ASSERT_TRUE(fresh);
  EXPECT_EQ(outcome(dir / "l", kTry), "timeout");
}

/// RELIABILITY 20: no wait for an age to pass, the system releases at once.
TEST(FileLock, Mode20_KilledHolderFreesItAtOnce) {
  TempDir dir;
  Signal ready;
  const pid_t holder = in_child([&] {
    const auto lock = FileLock::acquire(dir / "l", kTry);
    ready.send();
    pause();
    return 0;
  });
  ready.wait();
  EXPECT_EQ(outcome(dir / "l", kTry), "timeout");
  kill(holder, SIGKILL);
  EXPECT_EQ(wait_for(holder), -SIGKILL);
  const auto begin = Clock::now();
  EXPECT_EQ(outcome(dir / "l", {.timeout = 1000ms, .poll = 5ms}), "locked");
  EXPECT_LT(Clock::now() - begin, 100ms);
}

/// RELIABILITY 21: a stopped holder costs the timeout and no more.
TEST(FileLock, Mode21_StoppedHolderCostsTheTimeout) {
  TempDir dir;
  Signal ready;
  const pid_t holder = in_child([&] {
    const auto lock = FileLock::acquire(dir / "l", kTry);
    ready.send();
    pause();
    return 0;
  });
  ready.wait();
  kill(holder, SIGSTOP);
  const auto begin = Clock::now();
  EXPECT_EQ(outcome(dir / "l", {.timeout = 200ms}), "timeout");
  EXPECT_LT(Clock::now() - begin, 700ms);
  kill(holder, SIGKILL);
  wait_for(holder);
}

/// RELIABILITY 22: a child neither owns nor releases, however it ends; nor does it keep the lock for a dead parent.
TEST(FileLock, Mode22_ForkedChildNeitherOwnsNorReleases) {
  TempDir dir;
  auto lock = FileLock::acquire(dir / "l", kTry);
  for (int way = 0; way < 3; ++way) {
    const int code = wait_for(in_child([&] {
      if (lock->owns() || outcome(dir / "l", kTry) != "timeout") return 1;
      if (way == 1) lock->release();
      if (way == 2) std::exit(0);
      return 0;
    }));
    EXPECT_EQ(code, 0);
    EXPECT_EQ(outcome(dir / "l", kTry), "timeout") << way;
  }
  Signal ready;
  const pid_t child = in_child([&] {
    ready.send();
    pause();
    return 0;
  });
  ready.wait();
  lock->release();
  EXPECT_EQ(outcome(dir / "l", kTry), "locked");  // although the child lives on
  kill(child, SIGKILL);
  wait_for(child);
}

/// RELIABILITY 25.
TEST(FileLock, Mode25_TheSameThreadTwiceEnds) {
  TempDir dir;
  alarm(5);
  const auto outer = FileLock::acquire(dir / "l", kTry);
  EXPECT_EQ(outcome(dir / "l", {.timeout = 50ms}), "timeout");
  alarm(0);
}

/// Processes read and write under the lock, and look whether somebody else is there. JITNEY_CHECK
/// asks for more, with JITNEY_NIGHTLY for ten times that.
TEST(FileLock, Mode20_HoldsDoNotOverlap) {
  TempDir dir;
  const bool check = std::getenv("JITNEY_CHECK") != nullptr, nightly = std::getenv("JITNEY_NIGHTLY") != nullptr;
  const int holds = !check ? 300 : nightly ? 50'000 : 5'000;
  struct Shared {
    std::atomic<int> writers, readers, overlaps;
    long counter;
  };
  auto* shared =
      static_cast<Shared*>(mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
  ASSERT_NE(shared, MAP_FAILED);
  const auto work = [&](unsigned seed) {
    for (int i = 0; i < holds; ++i) {
      const bool reader = (seed = seed * 1664525u + 1013904223u) >> 30 == 0;
      auto lock = FileLock::acquire(
          dir / "l", {.mode = reader ? Mode::shared : Mode::exclusive, .timeout = 120'000ms, .poll = 1ms});
      if (!lock) return 1;
      const bool yields = i % 64 == 0;  // so that others run while it is held
      if (reader) {
        ++shared->readers;
        if (yields) std::this_thread::yield();
        if (shared->writers != 0) ++shared->overlaps;
        --shared->readers;
      } else {
        if (++shared->writers != 1 || shared->readers != 0) ++shared->overlaps;
        const long before = shared->counter;
        if (yields) std::this_thread::yield();
        shared->counter = before + 1;
        --shared->writers;
      }
    }
    return 0;
  };
  std::vector<pid_t> children;
  for (unsigned p = 0; p < 8; ++p) children.push_back(in_child([&, p] { return work(p * 7919); }));
  for (const pid_t child : children) EXPECT_EQ(wait_for(child), 0);
  EXPECT_EQ(shared->overlaps, 0);
  EXPECT_GT(shared->counter, 8L * holds / 2);
  munmap(shared, sizeof(Shared));
}

}  // namespace
}  // namespace jitney
