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

bool RangeLocks::is_open() const { return static_cast<bool>(fd_); }

bool RangeLocks::is_removed() const {
  struct stat status{};
  const int fd = fd_.get();
  return fd >= 0 && (fstat(fd, &status) != 0 || status.st_nlink == 0);
}

}  // namespace jitney
#else
#include <windows.h>

#include "util/windows_file.h"

namespace jitney {

RangeLocks RangeLocks::open(const std::string& path) {
  RangeLocks made;
  const HANDLE file =
      CreateFileW(windows::wide(path).c_str(), GENERIC_READ | GENERIC_WRITE, FILE_SHARE_READ | FILE_SHARE_WRITE,
                  nullptr, OPEN_ALWAYS, FILE_ATTRIBUTE_NORMAL, nullptr);
  if (file != INVALID_HANDLE_VALUE) made.file_ = file;
  return made;
}

RangeLocks::~RangeLocks() {
  if (file_ != nullptr) CloseHandle(file_);
}

RangeLocks::Outcome RangeLocks::try_lock(std::uint64_t number, Mode mode) const {
  if (file_ == nullptr) return Outcome::unsupported;
  OVERLAPPED where{};
  where.Offset = static_cast<DWORD>(number);
  where.OffsetHigh = static_cast<DWORD>(number >> 32);
  const DWORD flags = LOCKFILE_FAIL_IMMEDIATELY | (mode == Mode::exclusive ? LOCKFILE_EXCLUSIVE_LOCK : 0);
  if (LockFileEx(file_, flags, 0, 1, 0, &where)) return Outcome::locked;
  const DWORD error = GetLastError();
  return error == ERROR_LOCK_VIOLATION || error == ERROR_IO_PENDING ? Outcome::busy : Outcome::unsupported;
}

void RangeLocks::unlock(std::uint64_t number) const {
  OVERLAPPED where{};
  where.Offset = static_cast<DWORD>(number);
  where.OffsetHigh = static_cast<DWORD>(number >> 32);
  if (file_ != nullptr) UnlockFileEx(file_, 0, 1, 0, &where);
}

bool RangeLocks::is_open() const { return file_ != nullptr; }
// Nobody can remove it while it is open.
bool RangeLocks::is_removed() const { return false; }

}  // namespace jitney
#endif
