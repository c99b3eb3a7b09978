// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "util/fork_closed_fd.h"

namespace jitney {

/// Locks on single numbers, between processes, in one empty file: open file description locks of one byte each, which
/// need no file a lock and leave none behind. The system releases them when the holder dies; a forked child has none.
/// Objects exclude each other, also within a process; threads that share one object do not. Never waits. Thread-safe
/// but for moving and destroying.
class RangeLocks {
 public:
  enum class Mode : std::uint8_t { shared, exclusive };
  enum class Outcome : std::uint8_t {
    locked,
    busy,         ///< somebody else has it
    unsupported,  ///< no such locks here, or the file is not open: nobody is excluded
  };

  RangeLocks() = default;
  /// Makes the file `name` in the folder if it is missing. Without it every outcome is `unsupported`.
  static RangeLocks open_at(int dir_fd, const std::string& name);

  /// Changes the mode of a lock that this object has already.
  Outcome try_lock(std::uint64_t number, Mode mode) const;
  void unlock(std::uint64_t number) const;
  bool is_open() const { return static_cast<bool>(fd_); }
  /// Whether the file was removed: locks in it exclude only those that opened it before.
  bool is_removed() const;

 private:
  ForkClosedFd fd_;
};

}  // namespace jitney
