// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "runtime/program.h"
#include "runtime/target.h"

namespace jitney::runtime {

/// Which weights of a program stay in memory between the calls that read them, under a budget in bytes. Only constants
/// that nothing but the packing of library calls reads can go: the others are read where the engine has them. Those of
/// the first steps stay, as many as fit. Thread-safe.
class WeightBudget {
 public:
  /// On devices that are not the host nothing can go: what runs there later must not lose its memory now.
  WeightBudget(const Program& program, const Target& target);

  /// Of all constants that can go, each once.
  std::int64_t total() const { return total_; }
  /// total() at first.
  std::int64_t bytes() const { return std::min(bytes_.load(std::memory_order_relaxed), total_); }
  void set(std::int64_t bytes) { bytes_.store(bytes, std::memory_order_relaxed); }
  bool stays(std::size_t step) const { return end_[step] <= bytes_.load(std::memory_order_relaxed); }

 private:
  std::vector<std::int64_t> end_;  ///< by step: the budget that it takes to keep its weights
  std::int64_t total_ = 0;
  std::atomic<std::int64_t> bytes_{std::numeric_limits<std::int64_t>::max()};
};

}  // namespace jitney::runtime
