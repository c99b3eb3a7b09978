// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "runtime/calls.h"
#include "runtime/forms.h"
#include "runtime/kernel_set.h"
#include "runtime/plan.h"

namespace jitney::runtime {

/// What became of the calls of an executor that may capture graphs. Counts only grow.
struct GraphCounts {
  std::uint64_t captured = 0, replayed = 0;
  std::uint64_t fallbacks = 0;  ///< runs in order because something cannot be captured
};

/// How one run goes: what settings may change from run to run.
struct RunOptions {
  /// From its second such run on a plan is one graph, where the backend can capture (graphs are bounded in number, the
  /// least recently used goes).
  bool captures = false;
  bool specialized = false;                            ///< with the plan's own kernels, where it has them
  const std::function<bool()>* interrupted = nullptr;  ///< asked between steps whether to give up (interrupt.h)
};

/// Runs plans: binds pointers and launches, in order, on one stream. Thread-safe: each call borrows a workspace (an
/// arena and a table of pointers) from a pool, so that calls never wait for each other's kernels.
class Executor {
 public:
  /// services: for the backend while it plans library calls; null gives it none.
  Executor(std::shared_ptr<const Program> program, Target target, backend::StreamOptions options,
           std::shared_ptr<backend::PlanServices> services = nullptr);
  ~Executor();
  Executor(const Executor&) = delete;
  Executor& operator=(const Executor&) = delete;

  /// Makes the stream and takes constants to the device. Call once, before run().
  Status prepare();
  /// inputs: checked against the plan, contiguous; outputs: of the plan's output shapes. With `seconds`, one a step of
  /// the plan, every step is waited for and timed.
  Status run(const Plan& plan, const std::vector<backend::KernelHandle>& kernels, std::span<void* const> inputs,
             std::span<void* const> outputs, const RunOptions& options, std::vector<double>* seconds = nullptr);
  /// Who does the library call of a step, and how many operations it takes: "jit:avx512_core", 231211008. Only after
  /// the plan ran.
  std::pair<std::string, std::int64_t> call_of(const Plan& plan, std::size_t step) const;
  GraphCounts graph_counts() const;
  /// Operators that the reference interpreter has run so far.
  std::uint64_t interpreted_operators() const { return interpreted_operators_.load(std::memory_order_relaxed); }

 private:
  struct Workspace {
    void* arena = nullptr;
    std::size_t arena_bytes = 0;
    std::vector<void*> pointers;
    std::vector<double>* seconds = nullptr;
    const std::function<bool()>* interrupted = nullptr;
    std::vector<void*> operands;         ///< of one library call
    void* scratch = nullptr;             ///< in the arena, behind the plan's buffers
    std::shared_ptr<const Forms> forms;  ///< the plan's own kernels, held while they run; or none
    std::vector<std::int32_t> faults;    ///< one a step: what its kernel says of the indices that it read
  };
  class Borrowed;
  struct Buffer {
    void* data = nullptr;
    std::size_t bytes = 0;
  };
  /// A graph with all memory that it uses. Runs on one stream at a time.
  struct Captured {
    std::shared_ptr<const Plan> plan;
    Workspace space;
    const CallSet* calls = nullptr;
    std::unique_ptr<CallSet::Invocations> invocations;
    std::vector<Buffer> inputs, outputs;
    backend::GraphHandle graph = 0;
  };

  /// Room for the plan's buffers and addresses for all its operands.
  Status bind(const Plan& plan, const CallSet* calls, std::span<void* const> inputs, std::span<void* const> outputs,
              Workspace& w);
  /// After the stream was waited for: an error of the user's when an index was out of range.
  Status check_faults(const Plan& plan, const Workspace& w) const;
  void release(Workspace& w);

  // executor_graphs.cpp
  bool is_capturable(const Plan& plan, const std::vector<backend::KernelHandle>& kernels, const CallSet* calls) const;
  /// Nothing where the backend cannot capture.
  Expected<std::unique_ptr<Captured>> capture(const Plan& plan, const std::vector<backend::KernelHandle>& kernels,
                                              const CallSet* calls, bool specialized);
  Status replay(Captured& captured, std::span<void* const> inputs, std::span<void* const> outputs);
  /// Whether it ran as a graph.
  Expected<bool> run_graph(const Plan& plan, const std::vector<backend::KernelHandle>& kernels, const CallSet* calls,
                           std::span<void* const> inputs, std::span<void* const> outputs, bool specialized);
  void destroy(Captured& captured);

  /// The plan's library calls, planned now if this is its first run.
  Expected<const CallSet*> calls_of(const Plan& plan);
  Status launch(const Plan& plan, const std::vector<backend::KernelHandle>& kernels, Workspace& w, const CallSet* calls,
                CallSet::Invocations* invocations);
  Status launch_step(const Plan& plan, std::size_t i, const std::vector<backend::KernelHandle>& kernels, Workspace& w,
                     const CallSet* calls, CallSet::Invocations* invocations);
  Status call(const PlannedCall& call, backend::Invocation& invocation, const PlannedStep& p, Workspace& w);
  Status interpret(const Plan& plan, const PlannedStep& p, Workspace& w);

  std::shared_ptr<const Program> program_;
  Target target_;
  backend::StreamOptions options_;
  backend::StreamHandle stream_ = 0;
  CallPlanner planner_;
  std::vector<void*> constants_;  ///< by value id; null where there is none, or only a packing of it is read
  std::vector<Tensor> held_;      ///< keeps those of host memory
  std::vector<std::pair<void*, std::size_t>> owned_;
  std::atomic<std::uint64_t> interpreted_operators_{0};
  std::mutex mutex_;
  std::vector<std::unique_ptr<Workspace>> idle_;
  mutable std::mutex graphs_mutex_;
  std::vector<std::unique_ptr<Captured>> graphs_;  ///< idle ones, the least recently used first
  GraphCounts graph_counts_;
};

}  // namespace jitney::runtime
