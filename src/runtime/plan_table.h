// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <mutex>
#include <shared_mutex>
#include <span>
#include <unordered_map>

#include "runtime/plan.h"

namespace jitney::runtime {

/// Plans by input shapes, least recently used out. Thread-safe; find() allocates nothing.
class PlanTable {
 public:
  explicit PlanTable(std::size_t capacity) : capacity_(capacity) {}
  std::shared_ptr<const Plan> find(std::span<const TensorView> inputs) const;
  /// Adds a plan, or gives the one that another thread added meanwhile.
  std::shared_ptr<const Plan> add(std::shared_ptr<const Plan> plan);
  std::size_t size() const;
  std::vector<std::shared_ptr<const Plan>> all() const;
  /// Those that ran since specialized kernels are asked for.
  std::vector<std::shared_ptr<const Plan>> used() const;

 private:
  const std::size_t capacity_;
  mutable std::shared_mutex mutex_;
  mutable std::atomic<std::uint64_t> clock_{0};
  std::unordered_multimap<std::uint64_t, std::shared_ptr<const Plan>> plans_;
};

}  // namespace jitney::runtime
