// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>

/// Threads of a team on processors of their own. Some schedulers wake a thread where the one runs that wakes it, again
/// and again until they balance loads, some fifty milliseconds later or never; and two of a team that wait for each
/// other on one processor take two to three times as long. Bursts of work after a pause begin with that.
namespace jitney::backend {

/// A caller's team during an execute. Threads that meet on one processor are each bound to one of their own until the
/// execute ends, and so are those of its next executes for a while; but only where the team has as many threads as it
/// may use processors, since else the system knows better which of them are one core. Costs a look at the processor's
/// number a region and thread where nobody meets. Of one thread, whose team's other threads use what is atomic.
class Watch {
 public:
  /// An execute begins. `team`: its threads.
  void begin(int team) noexcept;
  /// It is over: whether threads of the team are bound, so that each has to release().
  [[nodiscard]] bool end() noexcept;
  bool is_on() const { return is_on_; }

  /// Before each region of it.
  void enter_region() noexcept;
  /// In the region, on each thread but the first: number `index`.
  void settle(int index) noexcept;
  /// Behind the region.
  void leave_region() noexcept;
  /// On each thread of a team whose end() said so: it may use again what it might before.
  void release() const noexcept;
  /// Whether it is time for a region that is for this alone: a library's own are not seen. At most every two
  /// milliseconds.
  bool wants_region() noexcept;

  /// The calling thread's.
  static Watch& mine() noexcept;

 private:
  bool bind(int index) noexcept;

  std::int64_t bind_until_ = 0, next_look_ = 0;  ///< steady clock; bind_until_ 0: not
  std::uint64_t allowed_ = 0;                    ///< the processors that the caller may use, where it is bound
  int team_ = 0;
  unsigned executes_ = 0;
  bool may_bind_ = false, is_on_ = false, is_bound_ = false, binds_ = false;
  std::atomic<int> callers_ = -1;  ///< the processor that the caller was on as the region began
  std::atomic<bool> have_met_ = false;
};

}  // namespace jitney::backend
