// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "util/file.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>

#include <algorithm>
#include <system_error>

namespace jitney {
namespace {

/// Holds back SIGXFSZ, which writing past RLIMIT_FSIZE sends to the writing thread and whose default action ends the
/// process. One that came is swallowed, unless one was pending before.
class HoldFileSizeSignal {
 public:
  HoldFileSizeSignal() {
    sigset_t pending;
    sigemptyset(&set_);
    sigaddset(&set_, SIGXFSZ);
    was_pending_ = sigpending(&pending) == 0 && sigismember(&pending, SIGXFSZ) == 1;
    held_ = pthread_sigmask(SIG_BLOCK, &set_, &old_) == 0;
  }
  ~HoldFileSizeSignal() {
    if (!held_) return;
    const int saved = errno;
    const timespec now{};
    if (came_ && !was_pending_) retry_interrupted([&] { return sigtimedwait(&set_, nullptr, &now); });
    pthread_sigmask(SIG_SETMASK, &old_, nullptr);
    errno = saved;
  }
  HoldFileSizeSignal(const HoldFileSizeSignal&) = delete;
  HoldFileSizeSignal& operator=(const HoldFileSizeSignal&) = delete;
  void came() { came_ = true; }

 private:
  sigset_t set_{}, old_{};
  bool held_ = false, was_pending_ = false, came_ = false;
};

}  // namespace

std::string errno_text(int error) { return std::generic_category().message(error); }

Sys<unique_fd> open_regular(int dir_fd, const char* name, bool follow_symlinks) {
  // O_NONBLOCK so that opening a FIFO returns; it changes nothing for regular files.
  const int flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | (follow_symlinks ? 0 : O_NOFOLLOW);
  unique_fd fd(retry_interrupted([&] { return openat(dir_fd, name, flags); }));
  struct stat status{};
  if (!fd || fstat(fd.get(), &status) != 0) return tl::unexpected(errno);
  if (S_ISDIR(status.st_mode)) return tl::unexpected(EISDIR);
  if (!S_ISREG(status.st_mode)) return tl::unexpected(EINVAL);
  return fd;
}

Sys<std::vector<std::byte>> read_all(int fd, std::size_t limit) {
  struct stat status{};
  if (fstat(fd, &status) != 0) return tl::unexpected(errno);
  const auto expected = static_cast<std::size_t>(std::max<off_t>(status.st_size, 0));
  if (expected > limit) return tl::unexpected(EFBIG);
  // The size is a hint: the file may grow, and files in /proc say 0. One byte more makes the end show in one call.
  std::vector<std::byte> bytes(expected + 1);
  std::size_t used = 0;
  for (;;) {
    if (used == bytes.size()) {
      if (used > limit) return tl::unexpected(EFBIG);
      bytes.resize(std::max<std::size_t>(4096, 2 * bytes.size()));
    }
    const ssize_t got = retry_interrupted([&] { return read(fd, bytes.data() + used, bytes.size() - used); });
    if (got < 0) return tl::unexpected(errno);
    if (got == 0) break;
    used += static_cast<std::size_t>(got);
  }
  if (used > limit) return tl::unexpected(EFBIG);
  bytes.resize(used);
  return bytes;
}

Expected<std::vector<std::byte>> read_file(const std::string& path, std::size_t limit) {
  const auto bytes_or = [&]() -> Sys<std::vector<std::byte>> {
    auto fd = open_regular(AT_FDCWD, path.c_str(), true);
    if (!fd) return tl::unexpected(fd.error());
    return read_all(fd->get(), limit);
  };
  auto bytes = bytes_or();
  if (bytes) return std::move(*bytes);
  switch (bytes.error()) {
    case EFBIG: return user_error("'{}' is larger than the {} bytes allowed", path, limit);
    case EISDIR: return user_error("'{}' is a directory; a regular file is needed", path);
    case EINVAL:
    case ENXIO: return user_error("'{}' is not a regular file", path);
    case ENOENT:
    case ENOTDIR:
    case EACCES:
    case EPERM:
    case ELOOP:
    case ENAMETOOLONG: return user_error("cannot open '{}': {}", path, errno_text(bytes.error()));
    default: return environment_error("cannot read '{}': {}", path, errno_text(bytes.error()));
  }
}

Sys<void> write_all(int fd, std::span<const std::byte> bytes) {
  HoldFileSizeSignal hold;
  while (!bytes.empty()) {
    const ssize_t wrote = retry_interrupted([&] { return write(fd, bytes.data(), bytes.size()); });
    if (wrote <= 0) {
      const int error = wrote == 0 ? EIO : errno;
      if (error == EFBIG) hold.came();
      return tl::unexpected(error);
    }
    bytes = bytes.subspan(static_cast<std::size_t>(wrote));
  }
  return {};
}

}  // namespace jitney
