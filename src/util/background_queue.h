// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <stop_token>
#include <thread>
#include <vector>

namespace jitney {

/// Work that nobody waits for.
class BackgroundJob {
 public:
  virtual ~BackgroundJob() = default;
  /// Called anew each time a job is chosen: the greatest is next. Must be quick.
  virtual std::uint64_t priority() const = 0;
  /// Returns soon after a stop is requested. Must not throw.
  virtual void run(std::stop_token stop) = 0;
  /// It was taken out of the queue before it ran: removed, or driven out by more urgent ones.
  virtual void dropped() = 0;
};

/// One thread that does jobs one after the other, the most urgent first. It starts with the first job and ends when
/// there is none for a second, so that a process that compiles nothing has none. Bounded: when the queue is full, the
/// least urgent job is dropped. Thread-safe. In the child of a fork nothing runs: there jobs are dropped at once.
class BackgroundQueue {
 public:
  explicit BackgroundQueue(std::size_t capacity) : capacity_(capacity) {}
  /// Stops what runs and drops the rest.
  ~BackgroundQueue();
  BackgroundQueue(const BackgroundQueue&) = delete;
  BackgroundQueue& operator=(const BackgroundQueue&) = delete;

  /// owner: for remove(), and nothing else.
  void push(const void* owner, std::unique_ptr<BackgroundJob> job);
  /// Drops the owner's jobs, stops the one that runs and waits for its end (not when that very job calls).
  void remove(const void* owner);

  /// The one of this process.
  static BackgroundQueue& shared();

 private:
  struct Entry {
    const void* owner;
    std::unique_ptr<BackgroundJob> job;
  };

  bool is_foreign() const;
  /// Stops what runs, drops the rest, and waits for the thread. Jobs that come later are dropped.
  void close();
  void work();
  std::vector<Entry>::iterator best(bool least);

  const std::size_t capacity_;
  const long process_ = current_process();
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Entry> waiting_;
  const void* running_ = nullptr;  ///< its owner
  std::stop_source stop_;          ///< of what runs
  bool is_closing_ = false, is_working_ = false;
  std::thread thread_;

  static long current_process();
};

}  // namespace jitney
