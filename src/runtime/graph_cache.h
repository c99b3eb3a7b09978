// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "runtime/calls.h"
#include "runtime/plan.h"
#include "runtime/space.h"

namespace jitney::runtime {

/// What became of the calls of an executor that may capture graphs. Counts only grow.
struct GraphCounts {
  std::uint64_t captured = 0, replayed = 0;
  std::uint64_t updated = 0;    ///< replays that were given other pointers first
  std::uint64_t fallbacks = 0;  ///< runs in order because something cannot be captured
  std::uint64_t lent = 0;       ///< runs that were recorded into somebody else's graph
};

/// A plan that was captured, with all memory that it uses. Runs on one stream, of its space's own or of a caller's.
struct CapturedPlan {
  struct Buffer {
    void* data = nullptr;
    std::size_t bytes = 0;
  };
  /// A kernel whose launch names inputs or outputs.
  struct Patch {
    std::size_t launch;  ///< its number in the graph
    std::size_t step;    ///< of the plan
  };
  std::shared_ptr<const Plan> plan;
  std::uint64_t identity = 0;                  ///< of the stream, as in Where
  std::vector<backend::KernelHandle> kernels;  ///< that it was captured with
  Space space;
  const CallSet* calls = nullptr;
  std::unique_ptr<CallSet::Invocations> invocations;
  backend::GraphHandle graph = 0;
  std::vector<void*> inputs, outputs;  ///< the callers' addresses that it has now
  /// Where library calls, whose addresses are fixed, read and write; null data: the caller's own memory.
  std::vector<Buffer> staged_inputs, staged_outputs;
  bool is_fixed = false;  ///< library calls use the callers' memory: other addresses need another graph
  std::vector<Patch> patches;

  bool has(std::span<void* const> in, std::span<void* const> out) const;
};

/// The captured plans of one executor that nobody replays just now: bounded, the least recently used goes. Thread-safe.
class GraphCache {
 public:
  /// One for this plan, stream and kernels (generic and the shape's own), if possible one that has these addresses
  /// already. Null when there is none.
  std::unique_ptr<CapturedPlan> take(const Plan& plan, std::uint64_t identity,
                                     const std::vector<backend::KernelHandle>& kernels, const Forms* forms,
                                     std::span<void* const> inputs, std::span<void* const> outputs);
  /// Gives the one that has to go, if any.
  std::unique_ptr<CapturedPlan> give_back(std::unique_ptr<CapturedPlan> captured);
  std::vector<std::unique_ptr<CapturedPlan>> take_all();
  template <class F>
  void for_each(F f) {
    const std::lock_guard lock(mutex_);
    for (auto& c : idle_) f(*c);
  }

  GraphCounts counts() const {
    const std::lock_guard lock(mutex_);
    return counts_;
  }
  void count(std::uint64_t GraphCounts::* which) {
    const std::lock_guard lock(mutex_);
    ++(counts_.*which);
  }

 private:
  mutable std::mutex mutex_;
  std::vector<std::unique_ptr<CapturedPlan>> idle_;  ///< the least recently used first
  GraphCounts counts_;
};

}  // namespace jitney::runtime
