// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <chrono>

#include "compiler/run_queue.h"

namespace jitney::compiler {

/// How long a process may take for one answer. Only time that is its own counts: running, sleeping, waiting for a
/// disk, being stopped. Time for which it was ready to run and got no core does not, up to kPatience limits in all: a
/// busy machine makes compiling slow, and that is no fault of the source. Where the kernel does not tell, all time
/// counts. Used by one thread at a time.
class TimeLimit {
 public:
  using Clock = std::chrono::steady_clock;
  static constexpr int kPatience = 10;

  /// Starts now.
  TimeLimit(pid_t process, std::chrono::milliseconds limit);
  /// Milliseconds to wait before asking again, since the process must be looked at now and then; 0: it is over.
  int left();
  /// Whether it is the machine's fault that the time is over: patience ended first.
  bool starved() const { return starved_ >= most_starved(); }

 private:
  std::chrono::nanoseconds most_starved() const { return limit_ * (kPatience - 1); }
  void look(Clock::time_point now);

  const pid_t process_;
  const std::chrono::milliseconds limit_, interval_;
  const Clock::time_point start_;
  const RunQueueState first_;
  RunQueueState last_;
  Clock::time_point looked_, in_queue_since_;
  std::chrono::nanoseconds starved_{0};
};

}  // namespace jitney::compiler
