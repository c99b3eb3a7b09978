// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#if !defined(_WIN32)
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <algorithm>
#include <thread>

#include "util/file.h"
#include "util/file_lock.h"
#include "util/fork_closed_fd.h"

namespace jitney {
namespace {

using Fault = LockFailure::Fault;
using Clock = std::chrono::steady_clock;

tl::unexpected<LockFailure> fail(Fault fault, const std::string& name, const std::string& why) {
  return tl::unexpected(LockFailure{fault, fmt::format("cannot lock '{}': {}", name, why)});
}

/// Writing is not needed, but NFS grants exclusive locks to writers only.
ForkClosedFd open_lock_file(int dir_fd, const std::string& name, FileLock::Mode mode) {
  constexpr int kFlags = O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY;
  return ForkClosedFd::open([&] {
    const auto try_open = [&](int flags) {
      return retry_interrupted([&] { return openat(dir_fd, name.c_str(), flags | kFlags, 0600); });
    };
    const int fd = try_open(O_RDWR | O_CREAT);
    if (fd >= 0 || mode == FileLock::Mode::exclusive) return fd;
    const int error = errno;
    if (error != EROFS && error != EACCES && error != EPERM) return fd;
    const int read_only = try_open(O_RDONLY);
    if (read_only < 0) errno = error;
    return read_only;
  });
}

/// Whether the name still means the locked file.
bool is_current(int fd, int dir_fd, const std::string& name) {
  struct stat locked{}, named{};
  if (fstat(fd, &locked) != 0 || fstatat(dir_fd, name.c_str(), &named, AT_SYMLINK_NOFOLLOW) != 0) return false;
  return locked.st_nlink > 0 && locked.st_dev == named.st_dev && locked.st_ino == named.st_ino;
}

}  // namespace

struct FileLock::Handle {
  ForkClosedFd fd;
};

FileLock::FileLock(std::unique_ptr<Handle> handle, Mode mode) : handle_(std::move(handle)), mode_(mode) {}
FileLock::FileLock(FileLock&&) noexcept = default;
FileLock& FileLock::operator=(FileLock&&) noexcept = default;
FileLock::~FileLock() = default;

bool FileLock::owns() const { return handle_ && handle_->fd; }
void FileLock::release() { handle_.reset(); }

tl::expected<FileLock, LockFailure> FileLock::acquire(const std::string& path, const Options& options) {
  return acquire_at(AT_FDCWD, path, options);
}

tl::expected<FileLock, LockFailure> FileLock::acquire_at(int dir_fd, const std::string& name, const Options& options) {
  const auto deadline = Clock::now() + options.timeout;
  const int operation = (options.mode == Mode::shared ? LOCK_SH : LOCK_EX) | LOCK_NB;
  for (;;) {
    ForkClosedFd fd = open_lock_file(dir_fd, name, options.mode);
    if (!fd) return fail(Fault::refused, name, errno_text(errno));
    struct stat status{};
    if (fstat(fd.get(), &status) != 0 || !S_ISREG(status.st_mode))
      return fail(Fault::refused, name, "it is no regular file");
    for (;;) {
      if (retry_interrupted([&] { return flock(fd.get(), operation); }) == 0) {
        if (is_current(fd.get(), dir_fd, name))
          return FileLock(std::make_unique<Handle>(Handle{std::move(fd)}), options.mode);
        break;  // somebody removed or replaced it: the lock excludes nobody
      }
      if (errno != EWOULDBLOCK) return fail(Fault::unsupported, name, errno_text(errno));
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
      if (options.timeout.count() >= 0 && left.count() <= 0) {
        return fail(Fault::timeout, name,
                    fmt::format("somebody else has held it for {} ms; it can be tried again", options.timeout.count()));
      }
      // A holder of a file that was removed meanwhile would keep us for nothing.
      if (!is_current(fd.get(), dir_fd, name)) break;
      const auto poll = std::max(options.poll, std::chrono::milliseconds(1));
      std::this_thread::sleep_for(options.timeout.count() < 0 ? poll : std::min(poll, left));
    }
    if (options.timeout.count() > 0 && Clock::now() >= deadline)
      return fail(Fault::timeout, name, "somebody keeps replacing it");
  }
}

}  // namespace jitney
#endif
