// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "ir/hosted.h"
#include "runtime/program.h"

namespace jitney::runtime {

/// A graph that is compiled as one program. Its shapes are over symbols of the graph around it. Symbols that none of
/// its inputs has as an extent are extents of further inputs, u8[symbol] without bytes: so plans are found by all
/// extents that they depend on, and by nothing else.
struct Stage {
  std::string name;
  std::shared_ptr<Program> program;
  std::vector<std::string> extents;  ///< one a further input, behind the node's own
};

/// A divided graph: stages and hosted operators, in order.
struct StagedGraph {
  struct Step {
    const ir::Node* node = nullptr;
    int stage = -1;                 ///< index into StagedProgram::stages
    std::vector<int> bodies;        ///< indices into StagedProgram::graphs, by the attributes' names
    std::vector<ir::ValueId> done;  ///< values that nothing reads afterwards
    std::vector<ir::Guard> guards;  ///< that can be checked once it has run, and not before
  };
  std::shared_ptr<const ir::Graph> graph;
  std::vector<Step> steps;
};

/// An engine whose extents or control flow follow from data, lowered for one target. Immutable.
struct StagedProgram {
  std::vector<Stage> stages;
  std::vector<StagedGraph> graphs;  ///< the model is the first; the others are what control flow runs
  /// The kernels of all stages, each once: every stage's Program has these sources. Nothing else is set.
  std::shared_ptr<const Program> kernels;
};

/// `graph`: at ir::Stage::optimized, with hosted operators.
Expected<std::shared_ptr<const StagedProgram>> make_staged_program(std::shared_ptr<const ir::Graph> graph,
                                                                   const backend::Backend& backend, int device,
                                                                   const backend::DeviceInfo& info, bool bf16);

}  // namespace jitney::runtime
