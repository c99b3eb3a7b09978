// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>

#include <cstring>

#include "util/file.h"
#include "util/temp_dir.h"

namespace jitney {
namespace {

using testing::count_files;
using testing::read_text;
using testing::TempDir;
using testing::write_text;

std::span<const std::byte> bytes_of(const std::string& text) { return std::as_bytes(std::span(text)); }

TEST(ReadFile, GivesAllBytesUpToTheLimit) {
  TempDir dir;
  for (std::size_t size : {0, 1, 4095, 4096, 100'000}) {
    write_text(dir / "f", std::string(size, 'x'));
    const auto bytes = read_file(dir / "f", size);
    ASSERT_TRUE(bytes) << bytes.error().message;
    EXPECT_EQ(bytes->size(), size);
    if (size > 0) {
      EXPECT_FALSE(read_file(dir / "f", size - 1));
    }
  }
  const auto proc = read_file("/proc/self/maps", 1 << 24);  // its size reads as 0
  ASSERT_TRUE(proc);
  EXPECT_GT(proc->size(), 100u);
  EXPECT_FALSE(read_file("/proc/self/maps", 50));
}

TEST(ReadFile, RefusesWhatIsNoFile) {
  TempDir dir;
  ASSERT_EQ(mkfifo((dir / "fifo").c_str(), 0600), 0);
  for (const std::string& path : {dir / "absent", dir.path().string(), dir / "fifo", std::string("/dev/zero")}) {
    const auto bytes = read_file(path, 1000);
    ASSERT_FALSE(bytes) << path;
    EXPECT_EQ(bytes.error().kind, ErrorKind::user);
    EXPECT_NE(bytes.error().message.find(path), std::string::npos) << bytes.error().message;
    const auto mapped = MappedFile::open(path);
    ASSERT_FALSE(mapped) << path;
    EXPECT_EQ(mapped.error().kind, ErrorKind::user);
  }
}

TEST(ReadFile, RunningOutOfDescriptorsIsTheEnvironmentsFault) {
  TempDir dir;
  write_text(dir / "f", "x");
  rlimit old{};
  getrlimit(RLIMIT_NOFILE, &old);
  const rlimit none{0, old.rlim_max};
  setrlimit(RLIMIT_NOFILE, &none);
  const auto bytes = read_file(dir / "f", 10);
  const auto temp = AtomicFile::create(dir / "g", {});
  setrlimit(RLIMIT_NOFILE, &old);
  ASSERT_FALSE(bytes);
  EXPECT_EQ(bytes.error().kind, ErrorKind::environment);
  EXPECT_FALSE(temp);
  EXPECT_TRUE(read_file(dir / "f", 10));
}

TEST(AtomicFile, AppearsOnlyAtCommit) {
  TempDir dir;
  for (bool durable : {false, true}) {
    write_text(dir / "f", "old");
    auto file = AtomicFile::create(dir / "f", {.durable = durable});
    ASSERT_TRUE(file) << file.error().message;
    ASSERT_TRUE(file->write(bytes_of("new ")));
    ASSERT_TRUE(file->write(bytes_of("text")));
    EXPECT_EQ(read_text(dir / "f"), "old");
    ASSERT_TRUE(file->commit());
    EXPECT_EQ(read_text(dir / "f"), "new text");
    EXPECT_FALSE(file->commit());
    EXPECT_EQ(count_files(dir.path()), 1);
  }
}

TEST(AtomicFile, DestructorDiscards) {
  TempDir dir;
  {
    auto file = AtomicFile::create(dir / "f", {});
    ASSERT_TRUE(file);
    ASSERT_TRUE(file->write(bytes_of("x")));
    AtomicFile moved = std::move(*file);
    EXPECT_EQ(count_files(dir.path()), 1);
  }
  EXPECT_EQ(count_files(dir.path()), 0);
}

TEST(AtomicFile, ReplacesASymlinkAndLeavesItsTarget) {
  TempDir dir;
  write_text(dir / "canary", "untouched");
  ASSERT_EQ(symlink("canary", (dir / "f").c_str()), 0);
  auto file = AtomicFile::create(dir / "f", {});
  ASSERT_TRUE(file);
  ASSERT_TRUE(file->write(bytes_of("x")));
  ASSERT_TRUE(file->commit());
  EXPECT_EQ(read_text(dir / "canary"), "untouched");
  EXPECT_EQ(read_text(dir / "f"), "x");
}

TEST(AtomicFile, SaysWhereItCannotWrite) {
  TempDir dir;
  for (const std::string& path :
       {dir / "no/such/f", dir.path().string() + "/", dir.path().string(), std::string("/dev/null")}) {
    const auto file = AtomicFile::create(path, {});
    ASSERT_FALSE(file) << path;
    EXPECT_EQ(file.error().kind, ErrorKind::user) << file.error().message;
  }
}

/// In a child, since the limit holds for the whole process and its signal's default action is to end it.
TEST(AtomicFile, FileSizeLimitFailsTheWriteOnly) {
  TempDir dir;
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    signal(SIGXFSZ, SIG_DFL);
    const rlimit small{1000, 1000};
    setrlimit(RLIMIT_FSIZE, &small);
    auto file = AtomicFile::create(dir / "f", {});
    if (!file) _exit(1);
    const std::string text(5000, 'x');
    if (file->write(bytes_of(text))) _exit(2);
    if (file->commit()) _exit(3);
    sigset_t pending;
    sigpending(&pending);
    _exit(sigismember(&pending, SIGXFSZ) ? 4 : count_files(dir.path()) == 0 ? 0 : 5);
  }
  int status = 0;
  waitpid(child, &status, 0);
  ASSERT_TRUE(WIFEXITED(status)) << "signal " << WTERMSIG(status);
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

TEST(WriteAll, ContinuesShortAndInterruptedWrites) {
  int ends[2];
  ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);  // a pipe holds 64 KiB: the write is cut into pieces
  struct sigaction action{}, old_action{};
  action.sa_handler = [](int) {};  // no SA_RESTART
  sigaction(SIGALRM, &action, &old_action);
  const itimerval fast{{0, 1000}, {0, 1000}}, off{};
  const pid_t child = fork();
  if (child == 0) {
    close(ends[1]);
    std::size_t sum = 0;
    char buffer[1000];
    for (ssize_t got; (got = read(ends[0], buffer, sizeof buffer)) > 0; usleep(20))
      sum += static_cast<std::size_t>(got);
    _exit(sum == 1'000'000 ? 0 : 1);
  }
  close(ends[0]);
  setitimer(ITIMER_REAL, &fast, nullptr);
  const auto wrote = write_all(ends[1], std::vector<std::byte>(1'000'000));
  setitimer(ITIMER_REAL, &off, nullptr);
  sigaction(SIGALRM, &old_action, nullptr);
  close(ends[1]);
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_TRUE(wrote);
  EXPECT_EQ(status, 0);
}

TEST(Memfd, HoldsTheBytesAndCannotChange) {
  const std::string text = "code";
  auto fd = make_memfd("test", bytes_of(text));
  ASSERT_TRUE(fd) << fd.error().message;
  EXPECT_EQ(read_text(fd_path(fd->get())), text);
  EXPECT_LT(pwrite(fd->get(), "x", 1, 0), 0);
  EXPECT_NE(ftruncate(fd->get(), 0), 0);
  EXPECT_EQ(mmap(nullptr, 4, PROT_READ | PROT_WRITE, MAP_SHARED, fd->get(), 0), MAP_FAILED);
  void* code = mmap(nullptr, 4, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd->get(), 0);
  EXPECT_NE(code, MAP_FAILED);
  munmap(code, 4);
  EXPECT_TRUE(fcntl(fd->get(), F_GETFD) & FD_CLOEXEC);
  const auto mapped = MappedFile::map(fd->get(), "test");
  ASSERT_TRUE(mapped);
  EXPECT_EQ(std::memcmp(mapped->bytes().data(), text.data(), 4), 0);
}

TEST(MappedFile, OutlivesThePathAndMayBeEmpty) {
  TempDir dir;
  write_text(dir / "f", "bytes");
  write_text(dir / "empty", "");
  auto mapped = MappedFile::open(dir / "f");
  ASSERT_TRUE(mapped);
  std::filesystem::remove(dir / "f");
  const MappedFile moved = std::move(*mapped);
  EXPECT_EQ(moved.bytes().size(), 5u);
  EXPECT_EQ(moved.bytes()[0], std::byte{'b'});
  EXPECT_TRUE(MappedFile::open(dir / "empty")->bytes().empty());
}

}  // namespace
}  // namespace jitney
