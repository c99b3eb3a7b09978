// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "util/fork_closed_fd.h"

namespace jitney {

/// Locks on single numbers, between processes, in one empty file: open file description locks of one byte each, which
/// (LockFileEx on Windows), which need no file a lock and leave none behind. The system releases them when the holder
/// dies; a forked child has none. Objects exclude each other, also within a process; threads that share one object do
/// not. Never waits. Thread-safe but for moving and destroying.
class RangeLocks {
 public:
  enum class Mode : std::uint8_t { shared, exclusive };
  enum class Outcome : std::uint8_t {
    locked,
    busy,         ///< somebody else has it
    unsupported,  ///< no such locks here, or the file is not open: nobody is excluded
  };

  RangeLocks() = default;
  /// Makes the file if it is missing. Without it every outcome is `unsupported`.
#if defined(_WIN32)
  static RangeLocks open(const std::string& path);
  RangeLocks(RangeLocks&& other) noexcept : file_(std::exchange(other.file_, nullptr)) {}
  RangeLocks& operator=(RangeLocks&&) = delete;
  ~RangeLocks();
#else
  static RangeLocks open_at(int dir_fd, const std::string& name);
#endif

  /// Changes the mode of a lock that this object has already.
  Outcome try_lock(std::uint64_t number, Mode mode) const;
  void unlock(std::uint64_t number) const;
  bool is_open() const;
  /// Whether the file was removed: locks in it exclude only those that opened it before.
  bool is_removed() const;

 private:
#if defined(_WIN32)
  void* file_ = nullptr;
#else
  ForkClosedFd fd_;
#endif
};

}  // namespace jitney
