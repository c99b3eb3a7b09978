// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <string>
#include <unordered_set>

namespace jitney::cache {

/// Which keys somebody in this process is making right now. Thread-safe. A fork copies it; what other threads were
/// making never lands in the child, where waits end with their time.
class Flights {
 public:
  /// Takes the key, waiting while another thread has it (`waited`). False when the time is over first: then nothing
  /// was taken.
  bool take(const std::string& key, std::chrono::steady_clock::time_point deadline, bool& waited) {
    std::unique_lock lock(mutex_);
    waited = keys_.contains(key);
    if (!changed_.wait_until(lock, deadline, [&] { return !keys_.contains(key); })) return false;
    keys_.insert(key);
    return true;
  }
  void land(const std::string& key) {
    {
      std::lock_guard lock(mutex_);
      keys_.erase(key);
    }
    changed_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::unordered_set<std::string> keys_;  // guarded by mutex_
};

}  // namespace jitney::cache
