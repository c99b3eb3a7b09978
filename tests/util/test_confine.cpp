// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <thread>

#include "util/confine.h"
#include "util/temp_dir.h"

namespace jitney {
namespace {

using testing::TempDir;

/// Runs the attempts in a confined child; the exit code is the number of the first that did not go as it must, from 1.
template <class... Attempts>
int first_wrong(Attempts... attempts) {
  const pid_t child = fork();
  if (child == 0) {
    if (!confine_process()) _exit(100);
    int number = 0, wrong = 0;
    ((++number, wrong = wrong == 0 && !attempts() ? number : wrong), ...);
    _exit(wrong);
  }
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

bool refused(long result) { return result < 0 && errno == EPERM; }

#if !defined(__x86_64__)
#define CONFINE_SKIP GTEST_SKIP() << "no filter for this processor"
#else
#define CONFINE_SKIP (void)0
#endif

TEST(Confine, NothingOutsideIsChanged) {
  CONFINE_SKIP;
  TempDir dir;
  testing::write_text(dir / "file", "as it was");
  const std::string file = dir / "file", other = dir / "other";
  EXPECT_EQ(
      first_wrong(
          [&] { return refused(open(file.c_str(), O_WRONLY)); }, [&] { return refused(open(file.c_str(), O_RDWR)); },
          [&] { return refused(open(file.c_str(), O_RDONLY | O_TRUNC)); },
          [&] { return refused(open(other.c_str(), O_CREAT | O_WRONLY, 0600)); },
          [&] { return refused(creat(other.c_str(), 0600)); }, [&] { return refused(unlink(file.c_str())); },
          [&] { return refused(rename(file.c_str(), other.c_str())); },
          [&] { return refused(mkdir(other.c_str(), 0700)); },
          [&] { return refused(symlink(file.c_str(), other.c_str())); },
          [&] { return refused(link(file.c_str(), other.c_str())); },
          [&] { return refused(truncate(file.c_str(), 0)); }, [&] { return refused(chmod(file.c_str(), 0777)); }),
      0);
  EXPECT_EQ(testing::read_text(file), "as it was");
  EXPECT_EQ(testing::count_files(dir.path()), 1);
}

TEST(Confine, NoNetworkAndNoOtherProgram) {
  CONFINE_SKIP;
  char name[] = "/bin/true";
  char* const arguments[] = {name, nullptr};
  EXPECT_EQ(first_wrong([] { return refused(socket(AF_INET, SOCK_STREAM, 0)); },
                        [] { return refused(socket(AF_INET6, SOCK_DGRAM, 0)); },
                        [] { return refused(socket(AF_UNIX, SOCK_STREAM, 0)); },
                        [&] { return refused(execv(name, arguments)); }),
            0);
}

TEST(Confine, WhatACompilerNeedsGoesOn) {
  CONFINE_SKIP;
  TempDir dir;
  testing::write_text(dir / "file", "text");
  int pipe_fds[2];
  ASSERT_EQ(pipe(pipe_fds), 0);
  EXPECT_EQ(
      first_wrong(
          [&] { return open((dir / "file").c_str(), O_RDONLY) >= 0; },
          [] {
            const int fd = memfd_create("m", MFD_CLOEXEC);
            return fd >= 0 && write(fd, "x", 1) == 1 && ftruncate(fd, 100) == 0;
          },
          [&] { return write(pipe_fds[1], "x", 1) == 1; },
          [] {
            int done = 0;
            std::thread([&] { done = 1; }).join();
            return done == 1;
          },
          [] { return mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED; }),
      0);
  close(pipe_fds[0]);
  close(pipe_fds[1]);
}

}  // namespace
}  // namespace jitney
