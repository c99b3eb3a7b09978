// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <map>
#include <mutex>
#include <vector>

#include "backend/cuda/driver.h"

namespace jitney::backend::cuda {

/// Which nodes the launches of the captures under way became, so that a graph's kernels can be given other pointers
/// later. One object a device. Thread-safe; nothing of the driver is called in here.
class CaptureLog {
 public:
  using Nodes = std::vector<CUgraphNode>;

  /// Whether any capture is under way: the launches of a process that captures nothing ask nothing more.
  bool any() const { return open_.load(std::memory_order_acquire) != 0; }
  void begin(cuuint64_t id) {
    const std::lock_guard lock(mutex_);
    captures_[id].clear();
    open_.store(captures_.size(), std::memory_order_release);
  }
  /// Nothing for a capture that somebody else began. Null for a launch whose node is not known.
  void add(cuuint64_t id, CUgraphNode node) {
    const std::lock_guard lock(mutex_);
    if (const auto found = captures_.find(id); found != captures_.end()) found->second.push_back(node);
  }
  bool contains(cuuint64_t id) {
    const std::lock_guard lock(mutex_);
    return captures_.contains(id);
  }
  Nodes end(cuuint64_t id) {
    const std::lock_guard lock(mutex_);
    auto node = captures_.extract(id);
    open_.store(captures_.size(), std::memory_order_release);
    return node.empty() ? Nodes() : std::move(node.mapped());
  }

 private:
  std::atomic<std::size_t> open_ = 0;
  std::mutex mutex_;
  std::map<cuuint64_t, Nodes> captures_;
};

}  // namespace jitney::backend::cuda
