// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "runtime/plan.h"

#include <algorithm>
#include <map>

#include <fmt/ranges.h>

#include "runtime/in_place.h"

namespace jitney::runtime {

namespace {

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

Plan::Plan() = default;
Plan::~Plan() = default;

const InPlaceRules& Plan::in_place(const Program& program) const {
  std::call_once(in_place_once_, [&] { in_place_ = std::make_unique<const InPlaceRules>(program, *this); });
  return *in_place_;
}

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

std::vector<InPlace> in_place_sums(const Program& program) {
  std::map<ir::ValueId, int> last;
  for (const auto& i : intermediates(program)) last[i.value] = i.last;
  std::vector<InPlace> result;
  for (std::size_t s = 0; s < program.steps.size(); ++s) {
    const Step& step = program.steps[s];
    if (!step.is_call || !last.contains(step.node->outputs[0])) continue;
    const auto& out = program.graph.value(step.node->outputs[0]);
    const auto& body = step.node->graph("body");
    for (const auto& node : body.nodes) {
      if (node.op != ir::Op::add) continue;
      for (std::size_t i = 2; i < step.node->inputs.size(); ++i) {
        const auto& view = program.views[static_cast<std::size_t>(step.node->inputs[i])];
        const auto& from = program.graph.value(step.node->inputs[i]);
        bool is_operand = std::find(node.inputs.begin(), node.inputs.end(), body.inputs[i]) != node.inputs.end();
        auto it = last.find(view.root);
        if (!is_operand || it == last.end() || it->second != static_cast<int>(s)) continue;
        // Nothing else of this step may read it.
        if (std::count(step.roots.begin(), step.roots.end(), view.root) != 1) continue;
        bool whole = from.dtype == out.dtype && from.shape == out.shape && view.offset.is(0) &&
                     view.strides == passes::contiguous_strides(out.shape) &&
                     program.graph.value(view.root).dtype == out.dtype &&
                     product(program.graph.value(view.root).shape) == product(out.shape);
        if (!whole) continue;
        result.push_back({view.root, step.node->outputs[0]});
        last.erase(it);  // one buffer is given on once
        break;
      }
      if (!result.empty() && result.back().onto == step.node->outputs[0]) break;
    }
  }
  return result;
}

namespace {

/// Offsets in the arena for everything between inputs and outputs. Buffers of an in-place sum are one.
Status place_buffers(const Program& program, Plan& plan, std::size_t alignment, std::map<ir::ValueId, Slot>& where) {
  auto buffers = intermediates(program);
  std::map<ir::ValueId, std::size_t> group;  // of a buffer: index into lifetimes
  std::map<ir::ValueId, ir::ValueId> onto;
  for (const auto& pair : in_place_sums(program)) onto[pair.onto] = pair.from;
  std::sort(buffers.begin(), buffers.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<Lifetime> lifetimes;
  for (const auto& b : buffers) {
    JITNEY_TRY(auto bytes, byte_count(program.graph.value(b.value), plan.symbols));
    if (auto it = onto.find(b.value); it != onto.end()) {
      group[b.value] = group.at(it->second);  // made earlier: it is read here
      Lifetime& life = lifetimes[group[b.value]];
      life.bytes = std::max(life.bytes, bytes);
      life.last = std::max(life.last, b.last);
      continue;
    }
    group[b.value] = lifetimes.size();
    lifetimes.push_back({bytes, b.first, b.last});
  }
  MemoryPlan memory = plan_memory(lifetimes, alignment);
  plan.arena_bytes = memory.bytes;
  for (const auto& b : buffers) where[b.value] = {Slot::Kind::arena, memory.offsets[group[b.value]]};
  return {};
}

}  // namespace

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
    JITNEY_TRY(const auto bytes, byte_count(g.value(out), plan->symbols));
    plan->output_bytes.push_back(bytes);
  }
  for (ir::ValueId in : g.inputs) {
    JITNEY_TRY(const auto bytes, byte_count(g.value(in), plan->symbols));
    plan->input_bytes.push_back(bytes);
  }

  std::map<ir::ValueId, Slot> where;
  JITNEY_CHECK(place_buffers(program, *plan, alignment, where));
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
      p.grain = kernel::grain(cost);
      JITNEY_TRY(p.rounds, step.emitted.rounds.evaluate(plan->symbols));
    }
    if (step.is_call) {
      plan->has_calls = true;
      p.points = 1;
      JITNEY_TRY(auto shape, ir::evaluate(g.value(step.node->outputs[0]).shape, plan->symbols));
      for (auto e : shape) p.points *= e;  // counted before, by byte_count
    }
    p.number_count = plan->numbers.size() - p.first_number;
    plan->steps.push_back(p);
  }
  return std::shared_ptr<const Plan>(std::move(plan));
}

}  // namespace jitney::runtime
