// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "backend/backend.h"
#include "compiler/emit.h"
#include "engine/engine_impl.h"
#include "kernel/kernel.h"
#include "passes/lower.h"
#include "passes/views.h"

namespace jitney::runtime {

/// One region of the fused graph, ready to be planned.
struct Step {
  const ir::Node* node = nullptr;  ///< the region, in Program::graph
  std::vector<ir::ValueId> roots;  ///< the buffer behind each operand: inputs, then outputs
  std::optional<kernel::Kernel> kernel;
  compiler::EmittedKernel emitted;  ///< where there is a kernel
  bool is_call = false;             ///< a vendor library does it; then there is no kernel
  int distinct = -1;                ///< index into Program::sources, or -1: the interpreter runs it
  std::string why_interpreted;
  bool reads_indirect = false;  ///< may set the fault word
};

/// An engine lowered for one target: regions as kernels with source. Shapes are still symbolic; nothing is compiled.
/// Immutable.
struct Program {
  ir::Graph graph;  ///< at Stage::fused
  std::vector<passes::StridedView> views;
  std::vector<Step> steps;
  std::vector<compiler::EmittedKernel> sources;  ///< one for each distinct kernel
  std::vector<std::string> source_names;         ///< the region where each came up first
  std::vector<passes::PassRecord> passes;
};

/// `backend` says which library calls it offers on `device`.
Expected<std::shared_ptr<const Program>> make_program(const EngineImpl& engine, const backend::Backend& backend,
                                                      int device, const backend::DeviceInfo& info, bool bf16 = false);
/// The same for a graph at Stage::optimized without hosted operators.
Expected<std::shared_ptr<Program>> make_program(const ir::Graph& graph, const backend::Backend& backend, int device,
                                                const backend::DeviceInfo& info, bool bf16);

}  // namespace jitney::runtime
