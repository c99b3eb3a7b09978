// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <jitney/execution_context.h>

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "runtime/staged_executor.h"

namespace jitney::runtime {

/// What ExecutionContext does for an engine with hosted operators (ir/hosted.h); other engines have none of it.
class StagedContext {
 public:
  static Expected<std::unique_ptr<StagedContext>> open(const EngineImpl& engine, const Target& target,
                                                       const ContextOptions& options);

  /// The kernels of all stages: a program with sources only.
  const std::shared_ptr<const Program>& kernels() const { return program_->kernels; }
  /// `kernels`: of kernels(); they outlive this. Call once, before execute().
  Status prepare(const KernelSet& kernels, std::shared_ptr<backend::PlanServices> services);
  /// `inputs`: checked against the engine's, row-major. Outputs lie on the device, and are nobody else's.
  /// `is_transient`: as in RunOptions.
  Expected<std::vector<Cell>> execute(std::span<const TensorView> inputs, Interrupt& interrupt, bool is_transient);
  /// StagedExecutor::release_memory().
  void release_memory() { executor_->release_memory(); }
  /// Where they follow from the inputs' shapes; else an error (user).
  Expected<std::vector<std::vector<std::int64_t>>> output_shapes(std::span<const TensorView> inputs) const;
  Status copy_out(const Cell& cell, void* to) const { return executor_->cells().copy_out(cell, to); }

  void add_stats(ContextStats& stats) const;
  std::string inspect(const backend::DeviceInfo& device, bool source) const;

 private:
  StagedContext() = default;

  std::shared_ptr<const ir::Graph> graph_;
  std::shared_ptr<const StagedProgram> program_;
  std::unique_ptr<StagedExecutor> executor_;
  std::atomic<bool> is_ready_{false};
};

}  // namespace jitney::runtime
