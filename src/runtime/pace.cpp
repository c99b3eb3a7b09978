// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "runtime/pace.h"

#include <algorithm>

namespace jitney::runtime {

Pace& Pace::of_process() {
  static Pace* pace = new Pace;  // never destroyed: work in the background may end after what is static
  return *pace;
}

Pace::Urgency::Urgency(Pace& pace) : pace_(pace) {
  const std::lock_guard lock(pace_.mutex_);
  ++pace_.urgent_;
  pace_.changed_.notify_all();
}

Pace::Urgency::~Urgency() {
  const std::lock_guard lock(pace_.mutex_);
  --pace_.urgent_;
}

void Pace::wait_for_quiet(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  while (urgent_ == 0 && !stop.stop_requested()) {
    const Clock::rep last = last_.load(std::memory_order_acquire);
    const Clock::time_point quiet_at{Clock::duration(last) + times_.quiet};
    const Clock::time_point given_up_at{Clock::duration(burst_.load(std::memory_order_relaxed)) + times_.patience};
    const auto until = std::min(quiet_at, given_up_at);
    if (last == 0 || Clock::now() >= until) return;
    changed_.wait_until(lock, stop, until, [&] { return urgent_ > 0; });
  }
}

void Pace::leave_room(Clock::duration took, const std::stop_token& stop) {
  if (took <= times_.unnoticed) return;
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, stop, std::min(3 * took, times_.most_room), [&] { return urgent_ > 0; });
}

}  // namespace jitney::runtime
