// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "util/expected.h"

namespace jitney {

/// Why a lock was not had. After `unsupported` (the file system has no locks) and `refused` nobody holds one.
struct LockFailure {
  enum class Fault : std::uint8_t {
    timeout,      ///< somebody else held it all the time
    unsupported,  ///< ENOLCK, ENOSYS and the like
    refused,      ///< the lock file cannot be made or opened, or is a link or no regular file
  } fault;
  std::string message;
};

/// A lock on a file between processes, and between objects in one process: flock(2) on Unix, LockFileEx of byte 0 with
/// length 1 on Windows. Python's `filelock.FileLock` on the same path excludes it and is excluded by it.
///  - The lock file is made if missing, never written to and never removed; when somebody else removes or replaces it,
///    the lock is taken again on the file that has the name now.
///  - The system releases it when the holder dies. It is never taken for stale because of its age.
///  - A forked child neither owns nor releases it.
/// One object is for one thread at a time. Two objects on one path exclude each other also within a thread: the second
/// ends with a timeout, not in a deadlock.
class FileLock {
 public:
  enum class Mode : std::uint8_t { shared, exclusive };
  struct Options {
    Mode mode = Mode::exclusive;
    std::chrono::milliseconds timeout{10'000};  ///< 0: one try; negative: no limit
    std::chrono::milliseconds poll{50};
  };

  static tl::expected<FileLock, LockFailure> acquire(const std::string& path, const Options& options);
#if !defined(_WIN32)
  /// The same for a plain name in an open folder, which nobody can swap for another.
  static tl::expected<FileLock, LockFailure> acquire_at(int dir_fd, const std::string& name, const Options& options);
#endif

  FileLock(FileLock&&) noexcept;
  FileLock& operator=(FileLock&&) noexcept;
  ~FileLock();

  /// False once released, and in a forked child.
  bool owns() const;
  Mode mode() const { return mode_; }
  void release();

 private:
  struct Handle;
  FileLock(std::unique_ptr<Handle> handle, Mode mode);
  std::unique_ptr<Handle> handle_;
  Mode mode_ = Mode::exclusive;
};

}  // namespace jitney
