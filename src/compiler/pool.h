// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "compiler/worker_process.h"

namespace jitney::compiler {

/// The workers of one process. After a fork the child has a copy of its parent's Pool that it must not touch (a
/// lock may be held by a thread that does not exist there): it leaves the copy alone and makes its own.
class Pool {
 public:
  Pool(WorkerProcess::Options worker, int max_workers);
  /// Kills what runs, waits for calls in progress to return, leaves no zombie.
  ~Pool();
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  /// The right to use one worker process; gives it back at the end.
  class Slot {
   public:
    explicit Slot(Pool* pool) : pool_(pool) {}
    Slot(Slot&& other) noexcept : pool_(std::exchange(other.pool_, nullptr)) {}
    ~Slot();

   private:
    Pool* pool_;
  };

  /// Waits for a slot. Nothing when stopped or when the pool ends.
  std::optional<Slot> acquire(const std::stop_token& stop);
  /// A worker at rest of this kind, the one used last; null if there is none. The kinds are kept apart, since a
  /// process that was put at idle priority may not be allowed to leave it.
  std::unique_ptr<WorkerProcess> take_idle(bool background);
  WorkerProcess::Outcome<std::unique_ptr<WorkerProcess>> start_worker(bool background);
  void keep(std::unique_ptr<WorkerProcess> worker);  ///< a good worker, for later
  void bury(std::unique_ptr<WorkerProcess> worker);  ///< kills it; does not wait long

  Stops stops(std::stop_token caller) const { return {std::move(caller), end_.get_token()}; }
  pid_t owner() const { return owner_; }
  int started() const { return started_.load(); }

 private:
  void start_janitor();
  void watch();
  void wake_janitor() const;

  const WorkerProcess::Options worker_;
  const int max_workers_;
  const pid_t owner_;
  std::stop_source end_;
  std::atomic<int> started_{0};
  Descriptor wake_;

  std::mutex mutex_;
  std::condition_variable_any changed_;
  int busy_ = 0;                                      // guarded by mutex_, as all below
  std::vector<std::unique_ptr<WorkerProcess>> idle_;  // the last one was used last
  std::vector<std::unique_ptr<WorkerProcess>> dying_;
  std::thread janitor_;  // reaps workers that end by themselves
};

}  // namespace jitney::compiler
