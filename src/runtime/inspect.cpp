// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "runtime/inspect.h"

#include "runtime/plan.h"

namespace jitney::runtime {

namespace {

std::string memory_plan(const Program& program) {
  std::string s = "== memory plan ==\n";
  std::int64_t weights = 0;
  for (const auto& v : program.graph.values)
    if (v.constant) weights += static_cast<std::int64_t>(v.constant->num_bytes());
  s += fmt::format("weights: {} bytes\n", weights);
  bool fixed = true;
  std::vector<Lifetime> lifetimes;
  for (const auto& i : intermediates(program)) {
    const auto& v = program.graph.value(i.value);
    ir::Dim bytes = product(v.shape) * ir::Dim(static_cast<std::int64_t>(size_of(v.dtype)));
    s += fmt::format("{}: {} bytes, steps {} to {}\n", v.name, bytes.to_string(), i.first, i.last);
    fixed = fixed && bytes.is_constant();
    lifetimes.push_back({static_cast<std::size_t>(bytes.constant().value_or(0)), i.first, i.last});
  }
  if (fixed) return s + fmt::format("arena: {} bytes\n", plan_memory(lifetimes, 64).bytes);
  return s + "arena: sized when shapes are bound; buffers that do not live at the same time share memory\n";
}

}  // namespace

std::string inspect(const Program& program, const backend::DeviceInfo& device, bool source) {
  std::string s = "== graph ==\n" + print(program.graph);
  s += fmt::format("== kernels: {} steps, {} distinct, for {} ==\n", program.steps.size(), program.sources.size(),
                   device.target_key);
  std::vector<bool> shown(program.sources.size(), false);
  for (std::size_t i = 0; i < program.steps.size(); ++i) {
    const Step& step = program.steps[i];
    s += fmt::format("-- step {}: '{}'", i, step.node->name);
    if (step.is_call) {
      s += ", library call\n" + print(step.node->graph("body"));
      continue;
    }
    if (!step.kernel) {
      s += fmt::format(", in the reference interpreter: {}\n", step.why_interpreted);
      continue;
    }
    s += fmt::format(", source {}\n{}", step.distinct, kernel::print(*step.kernel));
    if (source && !shown[static_cast<std::size_t>(step.distinct)]) {
      shown[static_cast<std::size_t>(step.distinct)] = true;
      auto named =
          compiler::emit(*step.kernel, {.vector_bytes = device.vector_bytes, .model_names = true}, device.language);
      s += named.defines + "// ... the prelude (src/compiler/prelude_c.inc) ...\n" + named.code;
    }
  }
  return s + memory_plan(program);
}

}  // namespace jitney::runtime
