// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <utility>

#include "util/unique_fd.h"

namespace jitney {

/// A descriptor whose lock belongs to this process alone: a forked child, which inherits every descriptor and with it
/// the lock, closes it before it runs anything else. Closing there leaves the parent's lock as it is. Thread-safe but
/// for moving and destroying.
class ForkClosedFd {
 public:
  ForkClosedFd() = default;
  /// Runs `open` (a descriptor, or -1 with errno) so that no fork can come between it and the note about it.
  static ForkClosedFd open(const std::function<int()>& open);
  ForkClosedFd(ForkClosedFd&& other) noexcept
      : fd_(std::exchange(other.fd_, -1)), generation_(std::exchange(other.generation_, 0)) {}
  ForkClosedFd& operator=(ForkClosedFd&& other) noexcept {
    std::swap(fd_, other.fd_);
    std::swap(generation_, other.generation_);
    return *this;
  }
  ~ForkClosedFd() { reset(); }

  /// -1 when it is closed, or was opened by a parent process.
  int get() const;
  explicit operator bool() const { return get() >= 0; }
  void reset();

 private:
  int fd_ = -1;
  unsigned generation_ = 0;  ///< how many forks lie between the program's start and the opening
};

}  // namespace jitney
