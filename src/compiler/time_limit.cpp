// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "compiler/time_limit.h"

#include <algorithm>
#include <cstdint>

namespace jitney::compiler {

using namespace std::chrono_literals;

TimeLimit::TimeLimit(pid_t process, std::chrono::milliseconds limit)
    : process_(process),
      limit_(limit),
      // Longer than a tick of the kernel, which keeps the books of a running process only so often.
      interval_(std::clamp<std::chrono::milliseconds>(limit / 16, 20ms, 1000ms)),
      start_(Clock::now()),
      first_(run_queue_state(process)),
      last_(first_),
      looked_(start_),
      in_queue_since_(start_) {}

void TimeLimit::look(Clock::time_point now) {
  auto state = run_queue_state(process_);
  bool got_nothing = state.ready && state.ran == last_.ran && state.waited == last_.waited;
  if (!got_nothing) in_queue_since_ = now;
  auto starved = state.waited - first_.waited + (now - in_queue_since_);
  starved_ = std::min(std::max(starved_, starved), most_starved());
  last_ = state;
  looked_ = now;
}

int TimeLimit::left() {
  auto now = Clock::now();
  auto remaining = [&] { return limit_ + starved_ - (now - start_); };
  if (now - looked_ >= interval_ || remaining() <= 0ns) look(now);
  auto wait = std::min<std::chrono::nanoseconds>(remaining(), interval_);
  return static_cast<int>(std::max<std::int64_t>(std::chrono::ceil<std::chrono::milliseconds>(wait).count(), 0));
}

}  // namespace jitney::compiler
