// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <string>

#include <jitney/execution_context.h>
#include <jitney/resource_allocation.h>

#include "runtime/executor.h"
#include "runtime/kernel_set.h"
#include "runtime/plan_services.h"
#include "runtime/plan_table.h"
#include "runtime/specializer.h"
#include "runtime/staged_context.h"

namespace jitney::runtime {

/// What all contexts of one engine on one device share: the lowered program, its kernels, plans with their specialized
/// kernels, weights, memory and graphs. So a context for other settings costs nothing, and compiles nothing that was
/// compiled before.
/// Thread-safe.
class SharedEngine {
 public:
  /// Lowers the engine for a device, with the options that do not change while it lives (device, threads, precision,
  /// denormals). Compiles nothing.
  static Expected<std::shared_ptr<SharedEngine>> open(const Engine& engine, const ContextOptions& options);
  ~SharedEngine();

  /// Compiles the generic kernels that are missing; the first call only. Of the options, the cache and the progress
  /// count, and whether it is interrupted: another cache than before gets what the one before holds of this engine, and
  /// is used from then on.
  Status prepare(const ContextOptions& options);

  /// ExecutionContext::set_optimization_profile().
  Status want_profile(const Engine& engine, int profile);

  void use_strategy(ResourceAllocationStrategy strategy);

  /// Session::set_weight_budget().
  Status use_weight_budget(std::int64_t bytes);

  /// The specializer's, with the kernels that the backend brought itself for the shapes' library calls.
  CompileStatus compile_status() const;

  Target target;
  std::shared_ptr<const Program> program;
  /// For an engine with hosted operators; then the program has nothing but the kernels of all stages.
  std::unique_ptr<StagedContext> staged;
  PlanTable plans;
  std::atomic<int> plans_made{0};
  std::shared_ptr<Specializer> specializer;
  std::shared_ptr<WeightBudget> weights;
  EngineBrings brings;                            ///< compiled kernels that came with it
  std::atomic<int> wanted_profile{kAutoProfile};  ///< which optimization profile runs must fit
  std::atomic<int> active_profile{0};             ///< that the last run fitted
  std::atomic<bool> is_transient{false};          ///< ResourceAllocationStrategy::dynamic_allocation
  std::atomic<bool> optima_requested{false};      ///< kernels for the profiles' optima were asked for

  // After prepare().
  Executor& executor() const { return *executor_; }
  const KernelSet& kernels() const { return *kernels_; }
  std::shared_ptr<cache::RuntimeCache> cache() const {
    const std::lock_guard lock(mutex_);
    return cache_;
  }
  int workers_started = 0;

 private:
  SharedEngine();

  mutable std::timed_mutex mutex_;
  void use_cache(const ContextOptions& options);

  std::shared_ptr<cache::RuntimeCache> cache_;
  std::string cache_setting_;                                                       // where it came from, or
  std::shared_ptr<jitney::RuntimeCache> cache_handle_;                              // whose it is
  const std::shared_ptr<cache::RuntimeCache> memory_ = cache::make_memory_cache();  // where no cache is wanted
  backend::StreamOptions stream_options_;
  Tactics tactics_ = Tactics::heuristic;
  std::shared_ptr<CachedPlanServices> services_;
  const std::shared_ptr<OwnKernelCounts> own_kernels_ = std::make_shared<OwnKernelCounts>();
  std::unique_ptr<KernelSet> kernels_;
  std::unique_ptr<Executor> executor_;  // after the kernels: destroyed first
};

/// Whether JITNEY_NO_COMPILE=error asks for an error instead of a compile.
bool may_compile();

}  // namespace jitney::runtime
