// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "backend/backend.h"
#include "backend/cuda/fault_words.h"

namespace jitney::backend::cuda {

/// A captured graph, ready to be launched, and the words that its kernels report faults in.
struct Graph {
  struct Launch {
    CUgraphNode node = nullptr;
    CUDA_KERNEL_NODE_PARAMS params{};  ///< as captured, without the kernel's own parameters
  };
  CUgraphExec executable = nullptr;
  CUgraph recorded = nullptr;    ///< what its nodes belong to; null where no launch can be updated
  std::vector<Launch> launches;  ///< in the order of being recorded
  FaultWords::Words words;
};

/// Graphs of one device by handles that are never used again. Thread-safe; nothing of the driver is called in here.
class GraphTable {
 public:
  GraphHandle add(Graph graph) {
    const std::lock_guard lock(mutex_);
    graphs_[++last_] = std::make_shared<Graph>(std::move(graph));
    return last_;
  }
  /// Null for a stale handle. The graph's memory lives while it is held; whether its executable does is the caller's
  /// business: nobody destroys a graph while replaying it.
  std::shared_ptr<const Graph> find(GraphHandle handle) const {
    const std::lock_guard lock(mutex_);
    const auto found = graphs_.find(handle);
    return found == graphs_.end() ? nullptr : found->second;
  }
  std::shared_ptr<const Graph> remove(GraphHandle handle) {
    const std::lock_guard lock(mutex_);
    auto node = graphs_.extract(handle);
    return node.empty() ? nullptr : node.mapped();
  }
  std::shared_ptr<const Graph> remove_any() {
    const std::lock_guard lock(mutex_);
    return graphs_.empty() ? nullptr : graphs_.extract(graphs_.begin()).mapped();
  }

 private:
  mutable std::mutex mutex_;
  std::uintptr_t last_ = 0;
  std::map<GraphHandle, std::shared_ptr<const Graph>> graphs_;
};

}  // namespace jitney::backend::cuda
