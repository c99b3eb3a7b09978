// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "compiler/emit.h"
#include "support.h"

namespace jitney::compiler::test {

/// The kernels of a lowered graph, compiled for this machine by a worker: what runs in tests of generated code.
class CompiledGraph {
 public:
  /// How a kernel becomes source.
  using Emit = std::function<EmittedKernel(const kernel::Kernel&)>;

  CompiledGraph(const ir::Graph& lowered, Compiler& compiler, const Emit& emit);

  /// Runs region after region. Each kernel's space is cut in two at `cut` parts of it (0 to 1), at a multiple of its
  /// granule. Gives the graph's outputs.
  std::vector<Tensor> run(const std::vector<Tensor>& inputs, double cut) const;

  const std::vector<EmittedKernel>& kernels() const { return kernels_; }

 private:
  ir::Graph graph_;
  std::vector<EmittedKernel> kernels_;
  std::vector<std::unique_ptr<Loaded>> objects_;
};

/// Target options for this machine: with conversions between f16 and f32, where it has them.
std::vector<std::string> this_machine();
bool converts_f16();

}  // namespace jitney::compiler::test
