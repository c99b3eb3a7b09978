// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <vector>

#include "runtime/cell.h"
#include "runtime/executor.h"
#include "runtime/plan_table.h"
#include "runtime/staged_program.h"

namespace jitney::runtime {

/// Runs engines whose extents or control flow follow from data. Between two hosted operators lies a stage, whose plan
/// is found by all extents that it depends on, and which then runs as a whole engine does. Thread-safe: nothing of one
/// call is shared with another but plans and pools.
class StagedExecutor {
 public:
  StagedExecutor(std::shared_ptr<const StagedProgram> program, Target target, backend::StreamOptions options,
                 bool captures);
  /// `kernels`: of StagedProgram::kernels; they outlive this. Call once, before run().
  Status prepare(const KernelSet& kernels, std::shared_ptr<backend::PlanServices> services);

  /// Inputs in the order of the engine's, row-major; outputs lie on the device. `is_transient`: as in RunOptions.
  Expected<std::vector<Cell>> run(const std::vector<Cell>& inputs, Interrupt& interrupt, bool is_transient = false);
  /// Gives back the memory of stages that no run uses now. The next runs take it anew.
  void release_memory();

  const Cells& cells() const { return cells_; }
  const KernelSet& kernels() const { return *kernels_; }
  GraphCounts graph_counts() const;
  std::uint64_t interpreted_operators() const;
  int plans_made() const { return plans_made_.load(std::memory_order_relaxed); }
  std::uint64_t hosted_runs() const { return hosted_runs_.load(std::memory_order_relaxed); }
  std::uint64_t stage_runs() const { return stage_runs_.load(std::memory_order_relaxed); }

 private:
  using Values = std::vector<std::optional<Cell>>;
  /// What is known where a step runs.
  struct Scope {
    ir::SymbolValues symbols;
    Interrupt& interrupt;  ///< of the whole call
    bool is_transient = false;
  };
  struct Ready {
    explicit Ready(std::size_t capacity) : plans(capacity) {}
    PlanTable plans;
    std::unique_ptr<Executor> executor;
  };

  Expected<std::vector<Cell>> run_graph(const StagedGraph& graph, std::vector<Cell> inputs, Scope scope);
  Expected<std::vector<Cell>> run_step(const StagedGraph& graph, const StagedGraph::Step& step, const Values& values,
                                       const Scope& scope);
  Expected<std::vector<Cell>> run_stage(int stage, std::vector<Cell> inputs, const Scope& scope);
  Expected<std::vector<Cell>> run_hosted(const ir::Node& node, const Values& inputs, const ir::SymbolValues& symbols);

  // staged_control.cpp
  Expected<std::vector<Cell>> run_body(int graph, std::vector<Cell> inputs, const Scope& scope);
  Expected<std::vector<Cell>> run_branch(const StagedGraph::Step& step, std::vector<Cell> inputs, const Scope& scope);
  Expected<std::vector<Cell>> run_loop(const StagedGraph::Step& step, std::vector<Cell> inputs, const Scope& scope);
  Expected<Cell> stacked(const ir::Value& value, const std::vector<Cell>& parts, const ir::SymbolValues& symbols) const;

  std::shared_ptr<const StagedProgram> program_;
  Cells cells_;
  backend::StreamOptions options_;
  bool captures_;
  std::vector<Values> constants_;  ///< of each graph, by value: what hosted operators read or what is an output
  const KernelSet* kernels_ = nullptr;
  std::vector<std::unique_ptr<Ready>> stages_;
  std::atomic<int> plans_made_{0};
  std::atomic<std::uint64_t> hosted_runs_{0}, stage_runs_{0};
};

}  // namespace jitney::runtime
