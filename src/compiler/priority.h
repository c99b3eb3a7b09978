// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sched.h>
#include <sys/resource.h>
#include <sys/types.h>

namespace jitney::compiler {

/// Gives a worker (0: the calling thread) idle priority in the background. Else it keeps what it inherited from the
/// thread that waits for it, except that a compiler never runs in real time or ahead of ordinary processes. Both only
/// lower a priority, which is always permitted.
inline void set_priority(pid_t process, bool background) {
  sched_param zero{};
  if (background) {
    if (::sched_setscheduler(process, SCHED_IDLE, &zero) != 0)
      (void)::setpriority(PRIO_PROCESS, static_cast<id_t>(process), 19);
    return;
  }
  int policy = ::sched_getscheduler(process) & ~SCHED_RESET_ON_FORK;
  if (policy != SCHED_OTHER && policy != SCHED_BATCH && policy != SCHED_IDLE)
    (void)::sched_setscheduler(process, SCHED_OTHER, &zero);
  if (::getpriority(PRIO_PROCESS, static_cast<id_t>(process)) < 0)
    (void)::setpriority(PRIO_PROCESS, static_cast<id_t>(process), 0);
}

}  // namespace jitney::compiler
