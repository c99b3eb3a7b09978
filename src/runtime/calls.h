// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "runtime/constants.h"
#include "runtime/plan.h"
#include "runtime/target.h"

namespace jitney::runtime {

/// A library call of a plan.
struct PlannedCall {
  std::shared_ptr<const backend::Primitive> primitive;
  std::shared_ptr<const backend::PackedWeights> weights;  ///< null where nothing is packed
  std::vector<std::size_t> offsets;  ///< in bytes, one an operand: where the view begins in its buffer
  std::int64_t operations = -1;
};

/// The library calls of one plan, one an entry of Plan::steps; null primitives where the step is none. Immutable but
/// for the pool of invocations.
class CallSet {
 public:
  std::vector<PlannedCall> calls;
  std::size_t scratch_bytes = 0;  ///< the most that one call needs

  /// What the library changes while it runs, one a call. Borrowed by one execute at a time.
  using Invocations = std::vector<std::unique_ptr<backend::Invocation>>;
  Expected<std::unique_ptr<Invocations>> borrow(const Target& target) const;
  void give_back(std::unique_ptr<Invocations> invocations) const;

 private:
  mutable std::mutex mutex_;
  mutable std::vector<std::unique_ptr<Invocations>> idle_;
};

/// Plans library calls for the shapes of a plan, and packs constant weights: once for all shapes where the library's
/// layout allows it. Thread-safe.
class CallPlanner {
 public:
  /// `services`: for the backend; null gives it none.
  CallPlanner(std::shared_ptr<const Program> program, Target target,
              std::shared_ptr<backend::PlanServices> services = nullptr);

  /// `constants`: those that only library calls read are had for as long as packing takes, and kept where the library
  /// then reads them as they are. `stream`: like those that will run it. A call that the library refuses stays null,
  /// with one warning: the interpreter stands in.
  Expected<std::shared_ptr<const CallSet>> plan(const Plan& plan, Constants& constants, backend::StreamHandle stream);

 private:
  Expected<backend::LibraryCall> describe(const Plan& plan, const PlannedStep& p, PlannedCall& call) const;
  /// What takes long on a device, by several threads: the plan's calls, weights on their way to the device, and
  /// packings. Held, so that plan_step() finds it made; what fails here is not there, and fails again in its turn.
  struct Ahead {
    std::optional<backend::LibraryCall> call;
    PlannedCall planned;  ///< its offsets alone
    std::shared_ptr<const backend::Primitive> primitive;
    Constants::Held weights;
    std::shared_ptr<const backend::PackedWeights> packed;
  };
  std::vector<Ahead> side_by_side(const Plan& plan, const Constants& constants, backend::StreamHandle stream);
  void prepare_primitive(Ahead& ahead, const Plan& plan, const PlannedStep& p, backend::StreamHandle stream) const;
  void prepare_weights(Ahead& ahead, const PlannedStep& p, const Constants& constants);
  /// The bytes of a call's constant operand, as packings are told apart by.
  Expected<std::string> content_of(const Tensor& constant, const backend::TensorDesc& w, std::size_t offset) const;
  Status plan_step(const Plan& plan, const PlannedStep& p, Constants& constants, backend::StreamHandle stream,
                   PlannedCall& call);

  std::shared_ptr<const Program> program_;
  Target target_;
  std::shared_ptr<backend::PlanServices> services_;
  std::mutex mutex_;
  std::vector<std::shared_ptr<const backend::PackedWeights>> packed_;  ///< by step: the packing to prefer
};

}  // namespace jitney::runtime
