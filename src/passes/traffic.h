// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "ir/graph.h"

namespace jitney::passes {

/// Bytes that go from and to memory, as expressions over the graph's symbols.
struct Traffic {
  ir::Dim read, written;
  ir::Dim total() const { return read + written; }
};

/// What nodes of one graph move, each run by itself: it reads every input once and writes every output. Views move
/// nothing; an expanded value is read as small as it is; a gather reads as much of its data as it gives; constants of
/// one element are part of the code. Works at every stage; keeps a reference to the graph.
class TrafficOf {
 public:
  explicit TrafficOf(const ir::Graph& graph) : g_(graph), producers_(graph.producers()) {}
  Traffic operator()(const ir::Node& node) const;

 private:
  ir::Dim bytes_read(ir::ValueId id) const;

  const ir::Graph& g_;
  std::vector<int> producers_;
};

/// A graph before and after fusion.
struct FusionSummary {
  int operators = 0;  ///< nodes before that are no views
  int steps = 0;      ///< regions after
  Traffic unfused, fused;
};

/// `before` at Stage::imported or Stage::optimized, `after` the same model at Stage::fused.
FusionSummary summarize_fusion(const ir::Graph& before, const ir::Graph& after);

}  // namespace jitney::passes
