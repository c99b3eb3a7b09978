// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <chrono>

namespace jitney::compiler {

/// What the scheduler says about a process' first thread, over all its life. The kernel adds a wait to `waited` only
/// when it ends.
struct RunQueueState {
  std::chrono::nanoseconds ran{0};     ///< on a core
  std::chrono::nanoseconds waited{0};  ///< ready to run, without a core
  bool ready = false;                  ///< now: it runs or waits for a core, and neither sleeps nor is stopped
};

/// Zeros where the process is gone or the kernel does not tell (/proc/PID/schedstat and stat).
RunQueueState run_queue_state(pid_t process);

}  // namespace jitney::compiler
