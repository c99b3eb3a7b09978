// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "runtime/calls.h"
#include "runtime/kernel_set.h"
#include "runtime/plan.h"

namespace jitney::runtime {

/// The kernels of one plan in their specialized form: its shapes folded into the code. Immutable; the kernels stay
/// loaded while it lives.
class Forms {
 public:
  /// How the kernel of one step is launched.
  struct Step {
    backend::KernelHandle kernel = 0;  ///< 0: the generic one runs
    std::int64_t points = 0, grain = 1, granule = 1, rounds = 0;
    std::size_t first_number = 0, number_count = 0;  ///< in numbers()
    std::int32_t block_threads = 0, block_points = 0;
  };

  /// Compiles what is missing, or takes it from the cache. Whatever fails there stays generic; an error is an internal
  /// one. `calls`: instead of the plan's; null where those will do.
  static Expected<std::shared_ptr<const Forms>> make(const Program& program, const Target& target, const Plan& plan,
                                                     cache::RuntimeCache& cache, compiler::Compiler& compiler,
                                                     const KernelSetOptions& options,
                                                     std::shared_ptr<const CallSet> calls = nullptr);

  /// Library calls to run instead of the plan's, or null.
  const CallSet* calls() const { return calls_.get(); }
  const Step& step(std::size_t index) const { return steps_[index]; }
  const std::int64_t* numbers() const { return numbers_.data(); }
  const KernelCounts& counts() const { return kernels_->counts(); }
  const std::vector<cache::Key>& keys() const { return kernels_->keys(); }
  bool is_complete() const { return kernels_->is_complete(); }

 private:
  Forms() = default;

  std::vector<Step> steps_;  // one a step of the plan
  std::vector<std::int64_t> numbers_;
  std::unique_ptr<KernelSet> kernels_;
  std::shared_ptr<const CallSet> calls_;
};

}  // namespace jitney::runtime
