// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <random>
#include <string>
#include <vector>

#include "ir/graph.h"

namespace jitney::testing {

/// What is known of a value's finite elements.
struct Facts {
  double size = 0;                 ///< none is larger
  double error = 0;                ///< two right implementations differ by no more; 0: in no bit
  std::int64_t low = 0, high = 0;  ///< of an input: its elements are drawn from here where it holds integers
  bool exact() const { return error == 0; }
};

/// A graph over symbols n and m, and what a comparison of its values must allow.
struct RandomGraph {
  ir::Graph graph;
  std::map<ir::ValueId, Facts> facts;
};

/// What inputs hold beside ordinary numbers.
enum class Specials { none, not_finite, denormal };

/// The largest values of n and m that bounds of errors are computed for.
inline constexpr std::int64_t kLargestN = 5, kLargestM = 260;

/// Grows a graph by `nodes` steps (a step adds one to three nodes) from all families of operators that are generated.
/// Equal seeds give equal graphs. Functions with jumps (floor, comparisons, casts to integers, orders) are applied to
/// values without error only, so that every difference beyond `error` is a fault.
RandomGraph grow_random_graph(unsigned seed, int nodes);

/// Inputs of a graph at values of its symbols.
std::vector<Tensor> random_inputs(const RandomGraph& random, const ir::SymbolValues& symbols, Specials specials,
                                  std::mt19937& rng);

}  // namespace jitney::testing
