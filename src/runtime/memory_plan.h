// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace jitney::runtime {

/// A buffer that lives from the step that writes it to the last step that reads it.
struct Lifetime {
  std::size_t bytes = 0;
  int first = 0, last = 0;  ///< steps, inclusive
};

struct MemoryPlan {
  std::vector<std::size_t> offsets;  ///< one a buffer
  std::size_t bytes = 0;             ///< of the whole arena
};

/// Places buffers in one arena so that none overlaps another that lives at the same time: largest first, each at
/// the lowest offset that is free (the "greedy by size" strategy of Pisarchyk and Lee, "Efficient Memory Management
/// for Deep Neural Net Inference", 2020). Offsets are multiples of `alignment`.
MemoryPlan plan_memory(const std::vector<Lifetime>& buffers, std::size_t alignment);

}  // namespace jitney::runtime
