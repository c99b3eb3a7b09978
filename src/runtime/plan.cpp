// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "runtime/plan.h"

#include <algorithm>
#include <map>

#include <fmt/ranges.h>

namespace jitney::runtime {

namespace {

// A thread is worth waking for about this many scalar operations (some 10 microseconds).
constexpr std::int64_t kOperationsPerGrain = 1 << 16;

Expected<std::size_t> byte_count(const ir::Value& v, const ir::SymbolValues& symbols) {
  JITNEY_TRY(auto shape, ir::evaluate(v.shape, symbols));
  std::int64_t bytes = static_cast<std::int64_t>(size_of(v.dtype));
  for (auto e : shape) {
    if (e < 0)
      return user_error("'{}' would have the shape [{}]: an extent is negative", v.name, fmt::join(shape, ", "));
    if (__builtin_mul_overflow(bytes, e, &bytes))
      return user_error("'{}' would have the shape [{}], more than can be addressed", v.name, fmt::join(shape, ", "));
  }
  return static_cast<std::size_t>(bytes);
}

}  // namespace

std::vector<Intermediate> intermediates(const Program& program) {
  std::map<ir::ValueId, Intermediate> found;
  for (std::size_t s = 0; s < program.steps.size(); ++s) {
    const Step& step = program.steps[s];
    for (ir::ValueId out : step.node->outputs) found[out] = {out, static_cast<int>(s), static_cast<int>(s)};
    for (ir::ValueId root : step.roots)
      if (auto it = found.find(root); it != found.end()) it->second.last = static_cast<int>(s);
  }
  for (ir::ValueId out : program.graph.outputs) found.erase(program.views[static_cast<std::size_t>(out)].root);
  std::vector<Intermediate> list;
  for (auto& [id, i] : found) list.push_back(i);
  return list;
}

Expected<std::shared_ptr<const Plan>> make_plan(const Program& program,
                                                std::vector<std::vector<std::int64_t>> input_shapes,
                                                std::size_t alignment) {
  const ir::Graph& g = program.graph;
  auto plan = std::make_shared<Plan>();
  JITNEY_TRY(plan->symbols, ir::bind_symbols(g, input_shapes));
  plan->input_shapes = std::move(input_shapes);
  // Views too: an extent below 0 anywhere means that the model's arithmetic on shapes does not fit these inputs.
  for (const auto& v : g.values) JITNEY_CHECK(byte_count(v, plan->symbols));
  for (ir::ValueId out : g.outputs) {
    JITNEY_TRY(auto shape, ir::evaluate(g.value(out).shape, plan->symbols));
    plan->output_shapes.push_back(std::move(shape));
  }

  auto buffers = intermediates(program);
  std::vector<Lifetime> lifetimes;
  for (const auto& b : buffers) {
    JITNEY_TRY(auto bytes, byte_count(g.value(b.value), plan->symbols));
    lifetimes.push_back({bytes, b.first, b.last});
  }
  MemoryPlan memory = plan_memory(lifetimes, alignment);
  plan->arena_bytes = memory.bytes;
  std::map<ir::ValueId, Slot> where;
  for (std::size_t i = 0; i < buffers.size(); ++i) where[buffers[i].value] = {Slot::Kind::arena, memory.offsets[i]};
  for (std::size_t i = 0; i < g.inputs.size(); ++i) where[g.inputs[i]] = {Slot::Kind::input, i};
  for (std::size_t i = 0; i < g.outputs.size(); ++i)
    where[program.views[static_cast<std::size_t>(g.outputs[i])].root] = {Slot::Kind::output, i};

  for (std::size_t s = 0; s < program.steps.size(); ++s) {
    const Step& step = program.steps[s];
    PlannedStep p{static_cast<int>(s)};
    p.first_slot = plan->slots.size();
    for (ir::ValueId root : step.roots)
      plan->slots.push_back(g.is_constant(root) ? Slot{Slot::Kind::constant, static_cast<std::size_t>(root)}
                                                : where.at(root));
    p.slot_count = plan->slots.size() - p.first_slot;
    p.first_number = plan->numbers.size();
    if (step.kernel) {
      for (const auto& d : step.emitted.numbers) {
        JITNEY_TRY(auto v, d.evaluate(plan->symbols));
        plan->numbers.push_back(v);
      }
      JITNEY_TRY(p.points, step.emitted.points.evaluate(plan->symbols));
      JITNEY_TRY(auto cost, step.emitted.cost_per_point.evaluate(plan->symbols));
      p.grain = std::max<std::int64_t>(1, kOperationsPerGrain / std::max<std::int64_t>(cost, 1));
    }
    p.number_count = plan->numbers.size() - p.first_number;
    plan->steps.push_back(p);
  }
  return std::shared_ptr<const Plan>(std::move(plan));
}

}  // namespace jitney::runtime
