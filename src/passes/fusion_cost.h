// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "ir/graph.h"
#include "passes/regions.h"

namespace jitney::passes {

/// What a kernel made of some nodes costs, for each element of its region's shape. A rough model: it is there to
/// refuse what is clearly worse, not to rank what is nearly equal.
struct RegionCost {
  double bytes = 0;       ///< read from memory, and written to it, by values as large as the region
  double operations = 0;  ///< computed, in simple vector operations an element
  double recomputed = 0;  ///< of these, those computed before: in an earlier pass, or for another element
  int live = 0;           ///< values in registers at once, at most
};

/// How many simple operations a core does while it moves one byte: two vectors of 16 a cycle at 2.5 GHz are 80 in a
/// nanosecond; 10 bytes come in that time when every core wants some.
inline constexpr double kOperationsPerByte = 8;
/// AVX-512 and aarch64 have 32 vector registers; constants, masks and addresses of gathers want some too.
inline constexpr int kMostLiveValues = 24;

/// An operator's cost for one element, in simple vector operations (1 is an addition): how many instructions the
/// prelude's vector code has; what is computed lane by lane costs hundreds.
double operation_cost(ir::Op op, DType dtype);

/// The costs of regions of one graph. Keeps a reference to the graph. For one thread at a time.
///
/// A kernel with reductions runs over its elements once for each phase (a reduction that needs another's result is a
/// phase later) and once more to store values of the full shape. What a pass needs of them it computes anew.
class FusionCost {
 public:
  explicit FusionCost(const ir::Graph& graph);

  /// `region_of`: for each node of the graph the region that has it, -1 where that is not decided. A value that some
  /// undecided node uses is taken to be needed by this kernel's last pass, but not to be written by it.
  /// `elsewhere` are nodes taken to be in another kernel although nothing is decided.
  RegionCost operator()(const Region& region, const std::vector<int>& region_of,
                        const std::vector<int>& elsewhere = {}) const;

 private:
  struct Walk;

  const ir::Graph& g_;
  std::vector<int> producers_;
  std::vector<std::vector<int>> users_;  ///< of each value
  std::vector<bool> is_output_;
  // Which nodes and values a walk has met: those with the current number. Grouping asks for each node of a graph, and
  // sets made anew for each question would cost more than all of the rest.
  mutable std::vector<std::uint32_t> node_mark_, value_mark_;
  mutable std::uint32_t node_number_ = 0, value_number_ = 0;
};

/// Why two regions should stay two kernels.
enum class Refusal : std::uint8_t {
  none,
  recomputation,  ///< computing again costs more than the bytes that are saved
  registers,      ///< more values at once than there are registers
};
Refusal judge_join(const RegionCost& a, const RegionCost& b, const RegionCost& joined);

}  // namespace jitney::passes
