// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "runtime/plan_table.h"

#include <algorithm>

namespace jitney::runtime {

namespace {

struct Hash {
  std::uint64_t value = 0x9e3779b97f4a7c15ull;
  void mix(std::uint64_t v) {
    value ^= v + 0x9e3779b97f4a7c15ull + (value << 6) + (value >> 2);
    value *= 0xff51afd7ed558ccdull;
  }
};

}  // namespace

std::shared_ptr<const Plan> PlanTable::find(std::span<const TensorView> inputs) const {
  Hash h;
  for (const auto& in : inputs) {
    h.mix(in.shape.size());
    for (auto e : in.shape) h.mix(static_cast<std::uint64_t>(e));
  }
  std::shared_lock lock(mutex_);
  auto [begin, end] = plans_.equal_range(h.value);
  for (auto it = begin; it != end; ++it) {
    const auto& shapes = it->second->input_shapes;
    if (std::equal(shapes.begin(), shapes.end(), inputs.begin(), inputs.end(), [](const auto& s, const TensorView& v) {
          return std::equal(s.begin(), s.end(), v.shape.begin(), v.shape.end());
        })) {
      it->second->last_used.store(clock_.fetch_add(1, std::memory_order_relaxed), std::memory_order_relaxed);
      return it->second;
    }
  }
  return nullptr;
}

std::shared_ptr<const Plan> PlanTable::add(std::shared_ptr<const Plan> plan) {
  Hash h;
  for (const auto& s : plan->input_shapes) {
    h.mix(s.size());
    for (auto e : s) h.mix(static_cast<std::uint64_t>(e));
  }
  std::unique_lock lock(mutex_);
  auto [begin, end] = plans_.equal_range(h.value);
  for (auto it = begin; it != end; ++it)
    if (it->second->input_shapes == plan->input_shapes) return it->second;
  if (plans_.size() >= capacity_)
    plans_.erase(std::min_element(plans_.begin(), plans_.end(), [](const auto& a, const auto& b) {
      return a.second->last_used.load(std::memory_order_relaxed) < b.second->last_used.load(std::memory_order_relaxed);
    }));
  plan->last_used.store(clock_.fetch_add(1, std::memory_order_relaxed), std::memory_order_relaxed);
  plans_.emplace(h.value, plan);
  return plan;
}

std::size_t PlanTable::size() const {
  std::shared_lock lock(mutex_);
  return plans_.size();
}

std::vector<std::shared_ptr<const Plan>> PlanTable::all() const {
  std::shared_lock lock(mutex_);
  std::vector<std::shared_ptr<const Plan>> found;
  for (const auto& [hash, plan] : plans_) found.push_back(plan);
  return found;
}

std::vector<std::shared_ptr<const Plan>> PlanTable::used() const {
  std::shared_lock lock(mutex_);
  std::vector<std::shared_ptr<const Plan>> found;
  for (const auto& [hash, plan] : plans_)
    if (plan->uses.load(std::memory_order_relaxed) > 0) found.push_back(plan);
  return found;
}

}  // namespace jitney::runtime
