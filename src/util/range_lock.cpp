// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "util/range_lock.h"

#if !defined(_WIN32)
#include <fcntl.h>
#include <sys/stat.h>

#include "util/file.h"

namespace jitney {
namespace {

/// Offsets are signed.
struct flock byte_at(std::uint64_t number, short type) {
  struct flock range{};
  range.l_type = type;
  range.l_whence = SEEK_SET;
  range.l_start = static_cast<off_t>(number & 0x7fff'ffff'ffff'ffffULL);
  range.l_len = 1;
  return range;
}

}  // namespace

RangeLocks RangeLocks::open_at(int dir_fd, const std::string& name) {
  RangeLocks made;
  made.fd_ = ForkClosedFd::open([&] {
    constexpr int kFlags = O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;
    return retry_interrupted([&] { return openat(dir_fd, name.c_str(), kFlags, 0600); });
  });
  return made;
}

RangeLocks::Outcome RangeLocks::try_lock(std::uint64_t number, Mode mode) const {
  const int fd = fd_.get();
  if (fd < 0) return Outcome::unsupported;
  struct flock range = byte_at(number, mode == Mode::shared ? F_RDLCK : F_WRLCK);
  if (retry_interrupted([&] { return fcntl(fd, F_OFD_SETLK, &range); }) == 0) return Outcome::locked;
  return errno == EAGAIN || errno == EACCES ? Outcome::busy : Outcome::unsupported;
}

void RangeLocks::unlock(std::uint64_t number) const {
  const int fd = fd_.get();
  if (fd < 0) return;
  struct flock range = byte_at(number, F_UNLCK);
  fcntl(fd, F_OFD_SETLK, &range);
}

bool RangeLocks::is_removed() const {
  struct stat status{};
  const int fd = fd_.get();
  return fd >= 0 && (fstat(fd, &status) != 0 || status.st_nlink == 0);
}

}  // namespace jitney
#endif
