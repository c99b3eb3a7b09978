// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "runtime/weight_budget.h"

#include <map>

#include "passes/call.h"
#include "runtime/constants.h"

namespace jitney::runtime {

WeightBudget::WeightBudget(const Program& program, const Target& target) : end_(program.steps.size(), 0) {
  if (!target.info.host_memory) return;
  const std::vector<bool> is_read_plainly = plainly_read_constants(program);
  std::map<ir::ValueId, std::int64_t> seen;
  for (std::size_t i = 0; i < program.steps.size(); ++i) {
    const Step& step = program.steps[i];
    if (!step.is_call || !passes::packs_second_operand(step.node->graph("body"))) continue;
    const ir::ValueId root = step.roots[1];
    const auto& constant = program.graph.value(root).constant;
    if (!constant || is_read_plainly[static_cast<std::size_t>(root)]) continue;
    const auto [known, is_new] = seen.emplace(root, 0);
    if (is_new) known->second = total_ += static_cast<std::int64_t>(constant->num_bytes());
    end_[i] = known->second;
  }
}

}  // namespace jitney::runtime
