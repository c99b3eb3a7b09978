// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>
#include <utility>

#include "runtime/kernel_set.h"
#include "runtime/plan.h"

namespace jitney::runtime {

/// What is known beyond the program itself.
struct LayerFacts {
  const Plan* plan = nullptr;          ///< for concrete extents
  const KernelSet* kernels = nullptr;  ///< once they are there
  /// Who does the library call of a step of the plan: Executor::call_of, once the plan ran.
  std::function<std::string(std::size_t step)> library{};
};

/// What ExecutionContext::layer_info gives.
std::string layer_info(const Program& program, const Target& target, const LayerFacts& facts);

}  // namespace jitney::runtime
