// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "runtime/calls.h"
#include "runtime/calls_ahead.h"
#include "runtime/constants.h"
#include "runtime/forms.h"
#include "runtime/graph_cache.h"
#include "runtime/interrupt.h"
#include "runtime/kernel_set.h"
#include "runtime/plan.h"
#include "runtime/space.h"

namespace jitney::runtime {

/// How a plan is run.
struct RunOptions {
  backend::StreamHandle stream = 0;
  bool is_callers_stream = false;  ///< put on `stream`, asynchronously; else the call waits for the result
  /// From its second such run on a plan is one graph, where the backend can capture (graphs are bounded in number, the
  /// least recently used goes).
  bool captures = false;
  bool specialized = false;                ///< with the plan's own kernels, where it has them
  std::vector<double>* seconds = nullptr;  ///< one a step of the plan: every step is waited for and timed
  bool is_transient = false;               ///< memory for intermediate values is taken and given back by this run
  Interrupt* interrupt = nullptr;          ///< asked between steps whether to give up
};

/// Runs plans: binds pointers and launches, in order. Thread-safe: each call borrows a space (an arena and a table of
/// pointers) from a pool, so that calls never wait for each other's kernels.
///
/// A run is on exactly the caller's stream; on a stream of the space's own, between two events, where the caller's is
/// the default stream; on a stream of the space's own and waited for, where there is no caller's stream. A caller's
/// stream that is being captured gets the launches recorded, with memory that the capture allocates and frees.
///
/// An index out of range is an Error(user) of the call that waits; of an asynchronous one, of a later call or of
/// synchronize().
class Executor final : public CallsAhead {
 public:
  /// `services`: for the backend while it plans library calls; null gives it none. `budget`: how many bytes of weights
  /// stay between the calls that read them; null is all.
  Executor(std::shared_ptr<const Program> program, Target target, backend::StreamOptions options,
           std::shared_ptr<backend::PlanServices> services = nullptr,
           std::shared_ptr<const WeightBudget> budget = nullptr);
  /// Waits for what runs.
  ~Executor() override;
  Executor(const Executor&) = delete;
  Executor& operator=(const Executor&) = delete;

  /// Makes the stream and takes constants to the device. Call once, before run().
  Status prepare();
  /// inputs: checked against the plan, contiguous; outputs: of the plan's output shapes. Both are used until the run is
  /// done.
  Status run(const Plan& plan, const std::vector<backend::KernelHandle>& kernels, std::span<void* const> inputs,
             std::span<void* const> outputs, const RunOptions& options = {});
  /// Gives back the memory that no run uses now. The next runs take it anew.
  void release_memory() { spaces_.clear(); }
  /// What the first run does before it runs: plans library calls, for which the backend may compile kernels of its own.
  Status plan_calls(const Plan& plan) {
    return calls_of(plan, backend::Haste::normal).map([](auto) {});
  }
  Expected<std::shared_ptr<const CallSet>> better_calls(const Plan& plan, const std::stop_token& stop = {}) override;
  void rehearse(const Plan& plan, const std::stop_token& stop) override {
    // What is compiled takes long, and the libraries' part is worth more.
    planner_.rehearse(plan, stream_, /*with_services=*/false, stop);
    planner_.rehearse(plan, stream_, /*with_services=*/true, stop);
  }
  /// From the second shape on library calls are planned at once, where that is worth anything; then `rehearse` is
  /// called, once, to have rehearse() called in the background. Set before the first run.
  void plan_at_once(std::function<void(const Plan&)> rehearse) { rehearse_ = std::move(rehearse); }
  /// Lets go of weights that the budget no longer allows to stay; those of `plans`, too.
  void drop_weights(std::span<const std::shared_ptr<const Plan>> plans);
  /// Waits for a caller's stream and tells of bad indices so far.
  Status synchronize(backend::StreamHandle stream);
  /// Why runs of this plan cannot be captured; "" when they can. Plans library calls.
  Expected<std::string> why_not_capturable(const Plan& plan, const std::vector<backend::KernelHandle>& kernels);
  /// A stream of this executor's own, for what is ordered with no run.
  backend::StreamHandle stream() const { return stream_; }
  /// Who does the library call of a step, and how many operations it takes: "jit:avx512_core", 231211008. Only after
  /// the plan ran.
  std::pair<std::string, std::int64_t> call_of(const Plan& plan, std::size_t step) const;
  GraphCounts graph_counts() const { return graphs_.counts(); }
  /// Operators that the reference interpreter has run so far.
  std::uint64_t interpreted_operators() const { return interpreted_operators_.load(std::memory_order_relaxed); }

 private:
  using Kernels = std::vector<backend::KernelHandle>;
  class Borrowed;

  Expected<Where> resolve(const RunOptions& options) const;
  /// Room for the plan's buffers and addresses for all its operands.
  Status bind(const Plan& plan, const CallSet* calls, std::span<void* const> inputs, std::span<void* const> outputs,
              Space& w, backend::StreamHandle stream);
  void bind_pointers(const Plan& plan, std::span<void* const> inputs, std::span<void* const> outputs, Space& w) const;
  /// An error of the user's when an index was out of range, which is then forgotten.
  Status check_faults(const Space& w, const char* when) const;
  Status run_on(const Plan& plan, const Kernels& kernels, const CallSet* calls, std::span<void* const> inputs,
                std::span<void* const> outputs, Space& w, backend::StreamHandle stream);
  /// On a stream that somebody captures.
  Status run_captured(const Plan& plan, const Kernels& kernels, const CallSet* calls, std::span<void* const> inputs,
                      std::span<void* const> outputs, const RunOptions& options);

  // executor_graphs.cpp
  std::string why_not_capturable(const Plan& plan, const Kernels& kernels, const CallSet* calls) const;
  /// Nothing where the backend cannot capture.
  Expected<std::unique_ptr<CapturedPlan>> capture(const Plan& plan, const Kernels& kernels, const CallSet* calls,
                                                  std::span<void* const> inputs, std::span<void* const> outputs,
                                                  const Where& where, std::shared_ptr<const Forms> forms, bool staged);
  /// The graph, captured now where there is none; null when this run is not one for a graph.
  Expected<std::unique_ptr<CapturedPlan>> graph_for(const Plan& plan, const Kernels& kernels, const CallSet* calls,
                                                    std::span<void* const> inputs, std::span<void* const> outputs,
                                                    const Where& where, std::shared_ptr<const Forms> forms);
  Status replay(CapturedPlan& captured, std::span<void* const> inputs, std::span<void* const> outputs,
                const Where& where);
  Status patch(CapturedPlan& captured, std::span<void* const> inputs, std::span<void* const> outputs);
  /// Whether it ran as a graph.
  Expected<bool> run_graph(const Plan& plan, const Kernels& kernels, const CallSet* calls,
                           std::span<void* const> inputs, std::span<void* const> outputs, const Where& where,
                           std::shared_ptr<const Forms> forms);
  void destroy(CapturedPlan& captured) noexcept;

  // executor_launch.cpp
  /// The plan's library calls, planned now if this is its first run.
  Expected<const CallSet*> calls_of(const Plan& plan) {
    return calls_of(plan,
                    is_served_.load(std::memory_order_relaxed) ? backend::Haste::at_once : backend::Haste::normal);
  }
  Expected<const CallSet*> calls_of(const Plan& plan, backend::Haste haste);
  Status launch(const Plan& plan, const Kernels& kernels, Space& w, const CallSet* calls,
                CallSet::Invocations* invocations, backend::StreamHandle stream);
  Status launch_step(const Plan& plan, std::size_t i, const Kernels& kernels, Space& w, const CallSet* calls,
                     CallSet::Invocations* invocations, backend::StreamHandle stream);
  /// What a generated kernel is launched with.
  backend::LaunchArgs arguments(const Plan& plan, std::size_t i, Space& w) const;
  /// 0 where something else than a generated kernel does the step, or nothing is to be done.
  backend::KernelHandle kernel_of(const Plan& plan, std::size_t i, const Kernels& kernels, const CallSet* calls) const;
  /// `plain`: of the constant operand, where it is read as it is and not among the space's pointers; else null.
  Status call(const PlannedCall& call, backend::Invocation& invocation, const void* plain, const PlannedStep& p,
              Space& w, backend::StreamHandle stream);
  /// The same with weights that are brought now, and go when it is done unless they may stay.
  Status call_with_weights(const CallSet& calls, std::size_t i, const PlannedStep& p, Space& w,
                           backend::StreamHandle stream);
  Status interpret(const Plan& plan, const PlannedStep& p, Space& w, backend::StreamHandle stream);

  std::shared_ptr<const Program> program_;
  Target target_;
  backend::StreamOptions options_;
  backend::StreamHandle stream_ = 0;
  const std::shared_ptr<const WeightBudget> budget_;
  CallPlanner planner_;
  std::atomic<bool> is_served_{false};  ///< a plan with calls has been planned, and others may follow
  std::atomic<bool> has_rehearsed_{false};
  std::function<void(const Plan&)> rehearse_;
  Constants constants_;
  std::vector<int> fault_of_;    ///< by step: its word in Space::faults, -1 where it reads at no index
  std::vector<int> fault_step_;  ///< by word: its step
  std::atomic<std::uint64_t> interpreted_operators_{0};
  Spaces spaces_;
  GraphCache graphs_;
  std::mutex lent_mutex_;
  std::vector<std::shared_ptr<const Forms>> lent_;  ///< what somebody else's graphs may launch
};

}  // namespace jitney::runtime
