// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>

/// Threads of a team on processors of their own. Some schedulers wake a thread where the one runs that wakes it, again
/// and again until they balance loads, some fifty milliseconds later; and two of a team that wait for each other on one
/// processor take three times as long. Each burst of work after a pause would begin with that.
namespace jitney::backend {

/// A caller's team, watched for some time after each pause. Threads that meet on one processor are each bound to one of
/// their own until the execute ends, and so are those of its next executes for a while; but only where the team has as
/// many threads as it may use processors, since else the system knows better which of them are one core. Of one thread,
/// whose team's other threads use what is atomic.
class Watch {
 public:
  /// An execute begins: whether this one is watched. `team`: its threads.
  bool begin(int team) noexcept;
  /// It is over: leave_place() was called on every thread.
  void end() noexcept;
  bool is_on() const { return is_on_; }

  /// Before each region of it.
  void enter_region() noexcept;
  /// In the region, on each thread but the first: number `index`.
  void settle(int index) noexcept;
  /// Behind the region.
  void leave_region() noexcept;

  /// The calling thread's.
  static Watch& mine() noexcept;

 private:
  std::int64_t last_end_, alert_until_, bind_until_;  // steady clock; 0 at first
  int team_;
  bool is_on_, is_bound_, binds_;
  std::atomic<int> callers_;  ///< the processor that the caller was on as the region began
  std::atomic<bool> have_met_;
};

/// The calling thread may use again what it might before.
void leave_place() noexcept;

}  // namespace jitney::backend
