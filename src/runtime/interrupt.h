// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <functional>

#include "util/expected.h"

namespace jitney::runtime {

/// How often a caller's function is asked whether to give up.
inline constexpr std::chrono::milliseconds kInterruptPeriod{50};

/// One call that can be given up: asks the caller's function (which may be empty), in the caller's thread, no more
/// often than it has to. For one thread.
class Interrupt {
 public:
  explicit Interrupt(const std::function<bool()>& asked) : asked_(asked) {
    if (asked_) next_ = std::chrono::steady_clock::now() + kInterruptPeriod;
  }
  /// A failure when the caller wants to give up.
  Status check() {
    if (!asked_) return {};
    const auto now = std::chrono::steady_clock::now();
    if (now < next_) return {};
    next_ = now + kInterruptPeriod;
    return asked_() ? failure() : Status{};
  }
  static Status failure() { return environment_error("interrupted by the caller; the next call starts anew"); }

 private:
  const std::function<bool()>& asked_;
  std::chrono::steady_clock::time_point next_;
};

}  // namespace jitney::runtime
