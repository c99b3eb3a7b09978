// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "runtime/memory_plan.h"

#include <algorithm>
#include <numeric>

namespace jitney::runtime {

MemoryPlan plan_memory(const std::vector<Lifetime>& buffers, std::size_t alignment) {
  std::vector<std::size_t> order(buffers.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) { return buffers[a].bytes > buffers[b].bytes; });
  MemoryPlan plan;
  plan.offsets.assign(buffers.size(), 0);
  std::vector<std::size_t> placed;  // by offset
  for (auto b : order) {
    if (buffers[b].bytes == 0) continue;
    std::size_t at = 0;
    for (auto p : placed) {
      if (buffers[p].last < buffers[b].first || buffers[b].last < buffers[p].first) continue;
      if (plan.offsets[p] >= at + buffers[b].bytes) break;  // the gap before p is large enough
      at = std::max(at, (plan.offsets[p] + buffers[p].bytes + alignment - 1) / alignment * alignment);
    }
    plan.offsets[b] = at;
    plan.bytes = std::max(plan.bytes, at + buffers[b].bytes);
    placed.insert(std::upper_bound(placed.begin(), placed.end(), b,
                                   [&](auto x, auto y) { return plan.offsets[x] < plan.offsets[y]; }),
                  b);
  }
  return plan;
}

}  // namespace jitney::runtime
