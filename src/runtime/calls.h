// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "runtime/constants.h"
#include "runtime/plan.h"
#include "runtime/target.h"
#include "runtime/weight_budget.h"

namespace jitney::runtime {

/// A library call of a plan.
struct PlannedCall {
  std::shared_ptr<const backend::Primitive> primitive;
  std::shared_ptr<const backend::PackedWeights> weights;  ///< null where nothing is packed
  std::vector<std::size_t> offsets;  ///< in bytes, one an operand: where the view begins in its buffer
  std::int64_t operations = -1;
  /// The constant operand, where the library reads it as it is and nothing else does; on the host.
  Constants::Held plain{};
  std::string packing{};        ///< what of the constant is packed, for the digest; empty where there is none
  bool comes_and_goes = false;  ///< its weights are there only where the budget allows it
};

/// The library calls of one plan, one an entry of Plan::steps; null primitives where the step is none. Immutable but
/// for the pool of invocations, and for weights that come and go.
class CallSet {
 public:
  /// Once it is shared, `weights` and `plain` of those that come and go are read by borrow() alone.
  mutable std::vector<PlannedCall> calls;
  std::size_t scratch_bytes = 0;  ///< the most that one call needs
  bool is_provisional = false;    ///< one of them is

  /// What the library changes while it runs. Borrowed by one execute at a time; holds the weights meanwhile.
  struct Invocations {
    std::vector<std::unique_ptr<backend::Invocation>> of;  ///< one a call; null too where weights are not there
    std::vector<Constants::Held> plain;
    std::uint64_t generation = 0;
  };
  Expected<std::unique_ptr<Invocations>> borrow(const Target& target) const;
  void give_back(std::unique_ptr<Invocations> invocations) const;

  /// Keeps weights for later runs, if they still may stay.
  void hold(std::size_t call, const PlannedCall& with, std::size_t step, const WeightBudget& budget) const;
  /// Lets go of those that may not stay; runs under way keep theirs until they are done. `steps`: of each call.
  void drop(std::span<const PlannedStep> steps, const WeightBudget& budget) const;

 private:
  mutable std::mutex mutex_;
  mutable std::vector<std::unique_ptr<Invocations>> idle_;
  mutable std::uint64_t generation_ = 0;  ///< of the weights that are there
};

/// Plans library calls for the shapes of a plan, and packs constant weights: once for all shapes where the library's
/// layout allows it. Thread-safe.
class CallPlanner {
 public:
  /// `services`: for the backend; null gives it none. `budget`: null lets all weights stay.
  CallPlanner(std::shared_ptr<const Program> program, Target target,
              std::shared_ptr<backend::PlanServices> services = nullptr,
              std::shared_ptr<const WeightBudget> budget = nullptr);

  /// `constants`: those that only library calls read are had for as long as packing takes, and kept where the library
  /// then reads them as they are. `stream`: like those that will run it. A call that the library refuses stays null,
  /// with one warning: the interpreter stands in. What is planned ahead keeps the process' Pace until `stop`.
  Expected<std::shared_ptr<const CallSet>> plan(const Plan& plan, Constants& constants, backend::StreamHandle stream,
                                                backend::Haste haste, const std::stop_token& stop = {});
  /// Lets the backend get ready for other extents of the plan's symbols, powers of two apart, until `stop`.
  void rehearse(const Plan& plan, backend::StreamHandle stream, bool with_services, const std::stop_token& stop);
  /// Whether shapes that come later are to be planned at once: where somebody asked for timing, they are timed.
  bool may_hurry() const { return services_ != nullptr && !services_->times_tactics(); }
  /// `weights` or `plain` of a call that was planned without.
  Status bring_weights(const PlannedStep& p, Constants& constants, PlannedCall& call);
  /// Lets go of weights that may not stay.
  void drop();

 private:
  bool stays(std::size_t step) const { return !budget_ || budget_->stays(step); }
  Status pack(const PlannedStep& p, Constants& constants, PlannedCall& call);
  Expected<backend::LibraryCall> describe(const ir::SymbolValues& symbols, const PlannedStep& p,
                                          PlannedCall& call) const;
  /// What takes long on a device, by several threads: the plan's calls, weights on their way to the device, and
  /// packings. Held, so that plan_step() finds it made; what fails here is not there, and fails again in its turn.
  struct Ahead {
    std::optional<backend::LibraryCall> call;
    PlannedCall planned;  ///< its offsets alone
    std::shared_ptr<const backend::Primitive> primitive;
    Constants::Held weights;
    std::shared_ptr<const backend::PackedWeights> packed;
  };
  std::vector<Ahead> side_by_side(const Plan& plan, const Constants& constants, backend::StreamHandle stream,
                                  backend::Haste haste, const std::stop_token& stop);
  void prepare_weights(Ahead& ahead, const PlannedStep& p, const Constants& constants);
  Status plan_step(const Plan& plan, const PlannedStep& p, Constants& constants, backend::StreamHandle stream,
                   backend::Haste haste, PlannedCall& call);

  std::shared_ptr<const Program> program_;
  Target target_;
  bool has_convolutions_ = false;  ///< for which no library has plans at once
  std::shared_ptr<backend::PlanServices> services_;
  std::shared_ptr<const WeightBudget> budget_;
  std::mutex mutex_;
  std::vector<std::shared_ptr<const backend::PackedWeights>> packed_;  ///< by step: the packing to prefer
};

}  // namespace jitney::runtime
