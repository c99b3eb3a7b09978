// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "runtime/graph_cache.h"

#include <algorithm>

namespace jitney::runtime {
namespace {

// Graphs that are kept, for all plans and streams of one context.
constexpr std::size_t kGraphs = 32;

}  // namespace

bool CapturedPlan::has(std::span<void* const> in, std::span<void* const> out) const {
  return std::ranges::equal(inputs, in) && std::ranges::equal(outputs, out);
}

std::unique_ptr<CapturedPlan> GraphCache::take(const Plan& plan, std::uint64_t identity,
                                               const std::vector<backend::KernelHandle>& kernels, const Forms* forms,
                                               std::span<void* const> inputs, std::span<void* const> outputs) {
  const std::lock_guard lock(mutex_);
  auto best = idle_.end();
  for (auto it = idle_.begin(); it != idle_.end(); ++it) {
    const CapturedPlan& c = **it;
    if (c.plan.get() != &plan || c.identity != identity || c.kernels != kernels || c.space.forms.get() != forms)
      continue;
    best = it;
    if (c.has(inputs, outputs)) break;
  }
  if (best == idle_.end()) return nullptr;
  auto found = std::move(*best);
  idle_.erase(best);
  return found;
}

std::unique_ptr<CapturedPlan> GraphCache::give_back(std::unique_ptr<CapturedPlan> captured) {
  const std::lock_guard lock(mutex_);
  idle_.push_back(std::move(captured));
  if (idle_.size() <= kGraphs) return nullptr;
  auto oldest = std::move(idle_.front());
  idle_.erase(idle_.begin());
  return oldest;
}

std::vector<std::unique_ptr<CapturedPlan>> GraphCache::take_all() {
  const std::lock_guard lock(mutex_);
  return std::move(idle_);
}

}  // namespace jitney::runtime
