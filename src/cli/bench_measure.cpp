// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "cli/bench_measure.h"

#include <atomic>
#include <barrier>
#include <chrono>
#include <cstdint>
#include <exception>
#include <mutex>
#include <thread>

#include "cli/interrupt.h"
#include "runtime/enqueue_mark.h"

namespace jitney::cli {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_between(Clock::time_point from, Clock::time_point to) {
  return std::chrono::duration<double>(to - from).count();
}

/// What one thread measured.
struct Caller {
  Samples host_ms, enqueue_ms;
  Clock::time_point begin, end;
};

class Bench {
 public:
  Bench(const BenchPlan& plan, std::size_t callers)
      : plan_(plan), start_(static_cast<std::ptrdiff_t>(callers)), callers_(callers) {}

  /// Never throws: another caller may be waiting for this one.
  void call(BoundRun& run, std::size_t index) {
    try {
      const auto warm = Clock::now();
      while (seconds_between(warm, Clock::now()) < plan_.warmup_seconds && !ends()) run.again();
    } catch (...) {
      fail();
    }
    start_.arrive_and_wait();
    try {
      loop(run, callers_[index]);
    } catch (...) {
      fail();
    }
  }

  BenchResult result() {
    if (failure_) std::rethrow_exception(failure_);
    BenchResult all{.interrupted = NotedInterrupt::came()};
    Clock::time_point begin = Clock::time_point::max(), end = Clock::time_point::min();
    for (const Caller& c : callers_) {
      all.host_ms.merge(c.host_ms);
      all.enqueue_ms.merge(c.enqueue_ms);
      if (c.host_ms.count() == 0) continue;
      begin = std::min(begin, c.begin);
      end = std::max(end, c.end);
    }
    if (all.host_ms.count() > 0) all.seconds = seconds_between(begin, end);
    return all;
  }

 private:
  bool ends() const { return NotedInterrupt::came() || failed_.load(std::memory_order_relaxed); }

  void loop(BoundRun& run, Caller& c) {
    Clock::time_point enqueued;
    const struct Mark {
      explicit Mark(Clock::time_point* where) { runtime::enqueue_mark = where; }
      ~Mark() { runtime::enqueue_mark = nullptr; }
    } mark(&enqueued);
    c.begin = c.end = Clock::now();
    const auto wanted = static_cast<std::uint64_t>(plan_.iterations);
    while (!ends()) {
      const auto before = Clock::now();
      const bool is_long_enough = seconds_between(c.begin, before) >= plan_.seconds;
      if (is_long_enough && done_.load(std::memory_order_relaxed) >= wanted) break;
      enqueued = before;
      run.again();
      c.end = Clock::now();
      c.host_ms.add(1e3 * seconds_between(before, c.end));
      c.enqueue_ms.add(1e3 * seconds_between(before, enqueued));
      if (done_.load(std::memory_order_relaxed) < wanted) done_.fetch_add(1, std::memory_order_relaxed);
    }
  }

  void fail() {
    const std::lock_guard lock(mutex_);
    if (!failure_) failure_ = std::current_exception();
    failed_ = true;
  }

  const BenchPlan& plan_;
  std::barrier<> start_;
  std::vector<Caller> callers_;
  std::atomic<std::uint64_t> done_{0};
  std::atomic<bool> failed_{false};
  std::mutex mutex_;
  std::exception_ptr failure_;
};

}  // namespace

BenchResult measure(const std::vector<std::unique_ptr<BoundRun>>& callers, const BenchPlan& plan) {
  const NotedInterrupt noted;
  Bench bench(plan, callers.size());
  std::vector<std::jthread> threads;
  for (std::size_t i = 1; i < callers.size(); ++i) threads.emplace_back([&, i] { bench.call(*callers[i], i); });
  bench.call(*callers[0], 0);
  threads.clear();
  return bench.result();
}

}  // namespace jitney::cli
