// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <stop_token>

namespace jitney::runtime {

/// When work that nobody waits for is done beside callers of a device. While a library loads code, launches of the
/// whole process wait for the driver; a shape that comes for the first time has waited enough already. So such work
/// begins when none has come for a while, and leaves room behind it. It is never put off for ever: where new shapes do
/// not end, it begins `patience` after the first of them. Nothing is put off while somebody waits for its
/// result. Thread-safe.
class Pace {
 public:
  using Clock = std::chrono::steady_clock;
  struct Times {
    Clock::duration quiet = std::chrono::milliseconds(200);
    Clock::duration patience = std::chrono::seconds(2);
    Clock::duration unnoticed = std::chrono::microseconds(200);  ///< work shorter than this leaves no room
    Clock::duration most_room = std::chrono::milliseconds(20);
  };
  explicit Pace(Times times) : times_(times) {}
  Pace() : Pace(Times{}) {}
  /// Launches of one engine wait for what is loaded for another, so that a process has one pace.
  static Pace& of_process();

  /// A shape came for the first time. Takes no lock.
  void new_shape() {
    const Clock::rep now = Clock::now().time_since_epoch().count();
    const Clock::rep before = last_.load(std::memory_order_relaxed);
    // First, so that who sees the shape sees its burst.
    if (before == 0 || now - before >= times_.quiet.count()) burst_.store(now, std::memory_order_relaxed);
    last_.store(now, std::memory_order_release);
  }

  /// Does `work` in its time, or at once where a stop is requested: that is for `work` to see.
  template <class Work>
  auto run(const std::stop_token& stop, Work work) {
    wait_for_quiet(stop);
    const auto begin = Clock::now();
    auto result = work();
    leave_room(Clock::now() - begin, stop);
    return result;
  }

  /// Somebody waits for what is made, as long as this lives.
  class Urgency {
   public:
    explicit Urgency(Pace& pace);
    ~Urgency();
    Urgency(const Urgency&) = delete;
    Urgency& operator=(const Urgency&) = delete;

   private:
    Pace& pace_;
  };

 private:
  void wait_for_quiet(const std::stop_token& stop);
  void leave_room(Clock::duration took, const std::stop_token& stop);

  const Times times_;
  std::atomic<Clock::rep> last_{0};   ///< when a new shape came; 0 is never
  std::atomic<Clock::rep> burst_{0};  ///< when the first came of those that came with no quiet time between them
  std::mutex mutex_;
  std::condition_variable_any changed_;
  int urgent_ = 0;
};

}  // namespace jitney::runtime
