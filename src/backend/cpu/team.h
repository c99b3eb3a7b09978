// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

/// How many threads a library on the same OpenMP runtime takes. It asks the runtime on the calling thread, when it
/// plans and when it runs, and both must get the same answer.
namespace jitney::backend {

/// The threads that a region of `wanted` would really get now: 1 in the child of a fork, whose pool has no threads, and
/// inside a parallel region; at most OMP_THREAD_LIMIT.
int team_size(int wanted);

/// While it lives, OpenMP regions that this thread starts have `threads` threads. Costs nothing where they have
/// already.
class TeamScope {
 public:
  explicit TeamScope(int threads);
  ~TeamScope();
  TeamScope(const TeamScope&) = delete;
  TeamScope& operator=(const TeamScope&) = delete;

 private:
  int saved_threads_ = 0;  ///< 0: unchanged
  bool saved_dynamic_ = false;
};

/// Brackets the executes of one stream: sets whether denormal numbers are flushed, on this thread and on every thread
/// of its team, and the size of the team. leave_team() puts back what was there before, on the same thread.
std::uintptr_t enter_team(int threads, bool flush);
void leave_team(std::uintptr_t token) noexcept;

}  // namespace jitney::backend
