// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "runtime/calls.h"
#include "runtime/kernel_set.h"
#include "runtime/plan.h"

namespace jitney::runtime {

/// Runs plans: binds pointers and launches, in order, on one stream. Thread-safe: each call borrows a workspace (an
/// arena and a table of pointers) from a pool, so that calls never wait for each other's kernels.
class Executor {
 public:
  Executor(std::shared_ptr<const Program> program, Target target, backend::StreamOptions options);
  ~Executor();
  Executor(const Executor&) = delete;
  Executor& operator=(const Executor&) = delete;

  /// Makes the stream and takes constants to the device. Call once, before run().
  Status prepare();
  /// inputs: checked against the plan, contiguous; outputs: of the plan's output shapes. With `seconds`, one a step of
  /// the plan, every step is waited for and timed.
  Status run(const Plan& plan, const std::vector<backend::KernelHandle>& kernels, std::span<void* const> inputs,
             std::span<void* const> outputs, std::vector<double>* seconds = nullptr);
  /// Who does the library call of a step, and how many operations it takes: "jit:avx512_core", 231211008. Only after
  /// the plan ran.
  std::pair<std::string, std::int64_t> call_of(const Plan& plan, std::size_t step) const;

 private:
  struct Workspace {
    void* arena = nullptr;
    std::size_t arena_bytes = 0;
    std::vector<void*> pointers;
    std::vector<double>* seconds = nullptr;
    std::vector<void*> operands;  ///< of one library call
    void* scratch = nullptr;      ///< in the arena, behind the plan's buffers
    std::int32_t fault = 0;
  };
  class Borrowed;

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
  std::mutex mutex_;
  std::vector<std::unique_ptr<Workspace>> idle_;
};

}  // namespace jitney::runtime
