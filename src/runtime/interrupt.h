// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <functional>
#include <stop_token>

#include "util/expected.h"

namespace jitney::runtime {

/// How often a caller's function is asked whether to give up.
inline constexpr std::chrono::milliseconds kInterruptPeriod{50};

/// What a call that was given up returns.
inline tl::unexpected<Failure> interrupted_failure() {
  return environment_error("interrupted by the caller; the next call starts anew");
}

/// One call that can be given up: asks the caller's function (null or empty: none), in the caller's thread, no more
/// often than it has to. For one thread.
class Interrupt {
 public:
  explicit Interrupt(const std::function<bool()>* asked) : asked_(asked && *asked ? asked : nullptr) {
    if (asked_) next_ = std::chrono::steady_clock::now() + kInterruptPeriod;
  }
  /// A failure when the caller wants to give up.
  Status check() {
    if (!asked_) return {};
    const auto now = std::chrono::steady_clock::now();
    if (now < next_) return {};
    next_ = now + kInterruptPeriod;
    if ((*asked_)()) return interrupted_failure();
    return {};
  }

 private:
  const std::function<bool()>* asked_;
  std::chrono::steady_clock::time_point next_;
};

/// Does `work` in another thread while this one asks `interrupted`; once it gives true, the token's stop is requested,
/// and the end of the work awaited still. True when it was. Where there is nobody to ask, or no thread to be had, this
/// thread does the work. What the work throws is thrown here.
bool run_interruptibly(const std::function<bool()>& interrupted, const std::function<void(std::stop_token)>& work);

}  // namespace jitney::runtime
