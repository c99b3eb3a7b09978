// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
// Native graphs: a plan that runs again on a stream is captured once and replayed. A captured graph reads and writes
// the callers' memory. When that changes, the launches of generated kernels that name it are given the new addresses;
// library calls, whose launches nobody but the library understands, get buffers of the graph's own instead, by one
// capture more, and from then on copies stand before and behind the graph.
#include <algorithm>

#include "runtime/enqueue_mark.h"
#include "runtime/executor.h"
#include "util/log.h"
#include "util/tensor_bytes.h"
#include "util/trace.h"

namespace jitney::runtime {

std::string Executor::why_not_capturable(const Plan& plan, const Kernels& kernels, const CallSet* calls) const {
  for (std::size_t i = 0; i < plan.steps.size(); ++i) {
    const Step& step = program_->steps[static_cast<std::size_t>(plan.steps[i].step)];
    if (plan.steps[i].points == 0 && (step.is_call || step.distinct >= 0)) continue;
    const bool is_call = step.is_call && calls && calls->calls[i].primitive;
    const bool is_kernel = step.distinct >= 0 && kernels[static_cast<std::size_t>(step.distinct)] != 0;
    if (!is_call && !is_kernel) return fmt::format("'{}' runs in the reference interpreter", step.node->name);
  }
  return "";
}

Expected<std::string> Executor::why_not_capturable(const Plan& plan, const Kernels& kernels) {
  JITNEY_TRY(const CallSet* calls, calls_of(plan));
  return why_not_capturable(plan, kernels, calls);
}

void Executor::destroy(CapturedPlan& c) noexcept {
  auto& b = *target_.backend;
  const auto forms = c.space.forms;  // the calls may be theirs
  // The memory may go once the last replay is done; the graph itself ends by itself.
  if (c.graph != 0) b.destroy_graph(target_.device, c.graph);
  spaces_.clear(c.space);
  for (auto* buffers : {&c.staged_inputs, &c.staged_outputs})
    for (auto& buffer : *buffers)
      if (buffer.data != nullptr) b.free(target_.device, buffer.data, buffer.bytes, stream_);
  if (c.invocations) c.calls->give_back(std::move(c.invocations));
}

namespace {

/// Which inputs and outputs library calls name.
struct Touched {
  std::vector<bool> inputs, outputs;
};

Touched touched_by_calls(const Plan& plan, const Program& program, const CallSet* calls) {
  Touched touched{std::vector<bool>(plan.input_shapes.size()), std::vector<bool>(plan.output_shapes.size())};
  for (std::size_t i = 0; i < plan.steps.size(); ++i) {
    const PlannedStep& p = plan.steps[i];
    if (!program.steps[static_cast<std::size_t>(p.step)].is_call || !calls || !calls->calls[i].primitive) continue;
    for (std::size_t s = p.first_slot; s < p.first_slot + p.slot_count; ++s) {
      if (plan.slots[s].kind == Slot::Kind::input) touched.inputs[plan.slots[s].at] = true;
      if (plan.slots[s].kind == Slot::Kind::output) touched.outputs[plan.slots[s].at] = true;
    }
  }
  return touched;
}

bool names_callers_memory(const Plan& plan, const PlannedStep& p) {
  return std::any_of(plan.slots.begin() + static_cast<std::ptrdiff_t>(p.first_slot),
                     plan.slots.begin() + static_cast<std::ptrdiff_t>(p.first_slot + p.slot_count),
                     [](const Slot& s) { return s.kind == Slot::Kind::input || s.kind == Slot::Kind::output; });
}

/// Own buffers where there are some, the callers' addresses elsewhere.
std::vector<void*> addresses(const std::vector<CapturedPlan::Buffer>& staged, std::span<void* const> callers) {
  std::vector<void*> result(callers.begin(), callers.end());
  for (std::size_t i = 0; i < staged.size(); ++i)
    if (staged[i].data != nullptr) result[i] = staged[i].data;
  return result;
}

}  // namespace

Expected<std::unique_ptr<CapturedPlan>> Executor::capture(const Plan& plan, const Kernels& kernels,
                                                          const CallSet* calls, std::span<void* const> inputs,
                                                          std::span<void* const> outputs, const Where& where,
                                                          std::shared_ptr<const Forms> forms, bool staged) {
  auto& b = *target_.backend;
  const TraceSpan span("capture", program_->graph.name);
  auto made = std::make_unique<CapturedPlan>();
  // Not on the stream of the runs, where others may put their own work meanwhile; but where that one's kernels run.
  backend::StreamHandle side = 0;
  // What was made so far goes on every way out.
  struct Guard {
    Executor& executor;
    std::unique_ptr<CapturedPlan>& captured;
    backend::StreamHandle& side;
    ~Guard() {
      if (side != 0) executor.target_.backend->destroy_stream(executor.target_.device, side);
      if (captured) executor.destroy(*captured);
    }
  } guard{*this, made, side};
  made->plan = plan.shared_from_this();
  made->identity = where.identity;
  made->kernels = kernels;
  made->space.forms = std::move(forms);
  made->calls = calls;
  made->inputs.assign(inputs.begin(), inputs.end());
  made->outputs.assign(outputs.begin(), outputs.end());
  made->staged_inputs.resize(inputs.size());
  made->staged_outputs.resize(outputs.size());
  if (calls) {
    JITNEY_TRY(made->invocations, calls->borrow(target_));
  }
  JITNEY_TRY(side, b.create_stream_like(target_.device, where.stream, options_));
  const auto& g = program_->graph;
  const Touched touched = touched_by_calls(plan, *program_, calls);
  const auto stage = [&](std::vector<CapturedPlan::Buffer>& buffers, const std::vector<bool>& which,
                         const std::vector<ir::ValueId>& values, const auto& shapes) -> Status {
    for (std::size_t i = 0; i < which.size(); ++i) {
      if (!which[i]) continue;
      if (!staged) {
        made->is_fixed = true;
        continue;
      }
      const std::size_t bytes = checked_bytes(g.value(values[i]).dtype, shapes[i]);
      JITNEY_TRY(buffers[i].data, allocate_for("a graph's inputs and outputs", target_, bytes, side));
      buffers[i].bytes = bytes;
    }
    return {};
  };
  JITNEY_CHECK(stage(made->staged_inputs, touched.inputs, g.inputs, plan.input_shapes));
  JITNEY_CHECK(stage(made->staged_outputs, touched.outputs, g.outputs, plan.output_shapes));
  if (!fault_step_.empty()) {
    JITNEY_TRY(made->space.faults, b.allocate_faults(target_.device, fault_step_.size()));
  }
  JITNEY_CHECK(bind(plan, calls, addresses(made->staged_inputs, inputs), addresses(made->staged_outputs, outputs),
                    made->space, side));
  // Allocations are ordered by the stream: outside of the capture they must have happened.
  JITNEY_CHECK(b.synchronize(target_.device, side));
  JITNEY_CHECK(b.begin_capture(target_.device, side));
  const Status launched = launch(plan, kernels, made->space, calls, made->invocations.get(), side);
  auto graph = b.end_capture(target_.device, side);  // also after a failure, which else would last
  JITNEY_CHECK(launched);
  if (!graph) return tl::unexpected(graph.error());
  made->graph = *graph;
  std::size_t launches = 0;
  for (std::size_t i = 0; i < plan.steps.size(); ++i) {
    if (kernel_of(plan, i, kernels, calls) == 0) continue;
    if (names_callers_memory(plan, plan.steps[i])) made->patches.push_back({launches, i});
    ++launches;
  }
  return made;
}

Status Executor::patch(CapturedPlan& c, std::span<void* const> inputs, std::span<void* const> outputs) {
  bind_pointers(*c.plan, addresses(c.staged_inputs, inputs), addresses(c.staged_outputs, outputs), c.space);
  // Until all are done it has neither these addresses nor the old ones.
  c.inputs.clear();
  c.outputs.clear();
  for (const auto& p : c.patches)
    JITNEY_CHECK(target_.backend->update(target_.device, c.graph, p.launch, arguments(*c.plan, p.step, c.space)));
  c.inputs.assign(inputs.begin(), inputs.end());
  c.outputs.assign(outputs.begin(), outputs.end());
  return {};
}

Status Executor::replay(CapturedPlan& c, std::span<void* const> inputs, std::span<void* const> outputs,
                        const Where& where) {
  const TraceSpan span("replay", program_->graph.name);
  auto& b = *target_.backend;
  JITNEY_CHECK(check_faults(c.space, "in an earlier call"));
  if (!c.has(inputs, outputs)) {
    JITNEY_CHECK(patch(c, inputs, outputs));
    graphs_.count(&GraphCounts::updated);
  }
  JITNEY_TRY(const backend::StreamHandle stream, spaces_.enter(c.space, where));
  const Status ran = [&]() -> Status {
    using enum backend::CopyKind;
    for (std::size_t i = 0; i < inputs.size(); ++i)
      if (const auto& s = c.staged_inputs[i]; s.bytes > 0)
        JITNEY_CHECK(b.copy(target_.device, s.data, inputs[i], s.bytes, device_to_device, stream));
    JITNEY_CHECK(b.replay(target_.device, c.graph, stream));
    for (std::size_t i = 0; i < outputs.size(); ++i)
      if (const auto& s = c.staged_outputs[i]; s.bytes > 0)
        JITNEY_CHECK(b.copy(target_.device, outputs[i], s.data, s.bytes, device_to_device, stream));
    mark_enqueued();
    return {};
  }();
  const Status left = spaces_.leave(c.space, where, stream);
  JITNEY_CHECK(ran);
  JITNEY_CHECK(left);
  return where.waits ? check_faults(c.space, nullptr) : Status{};
}

Expected<std::unique_ptr<CapturedPlan>> Executor::graph_for(const Plan& plan, const Kernels& kernels,
                                                            const CallSet* calls, std::span<void* const> inputs,
                                                            std::span<void* const> outputs, const Where& where,
                                                            std::shared_ptr<const Forms> forms) {
  // What was captured before the shape's own kernels were ready would freeze the slower ones.
  auto found = graphs_.take(plan, where.identity, kernels, forms.get(), inputs, outputs);
  if (found && (!found->is_fixed || found->has(inputs, outputs))) return found;
  const bool vary = found != nullptr;
  if (found) {
    plan.addresses_vary.store(true, std::memory_order_relaxed);
    destroy(*found);
  }
  const auto fall_back = [&] {
    graphs_.count(&GraphCounts::fallbacks);
    return std::unique_ptr<CapturedPlan>();
  };
  if (!why_not_capturable(plan, kernels, calls).empty()) return fall_back();
  auto made = capture(plan, kernels, calls, inputs, outputs, where, std::move(forms),
                      vary || plan.addresses_vary.load(std::memory_order_relaxed));
  if (!made) {
    warn_once("graph capture", "this model runs without graphs: " + made.error().message);
    return fall_back();
  }
  graphs_.count(&GraphCounts::captured);
  return made;
}

Expected<bool> Executor::run_graph(const Plan& plan, const Kernels& kernels, const CallSet* calls,
                                   std::span<void* const> inputs, std::span<void* const> outputs, const Where& where,
                                   std::shared_ptr<const Forms> forms) {
  // The first run loads and plans what a capture must not.
  if (plan.runs.load(std::memory_order_relaxed) == 0 && plan.runs.fetch_add(1, std::memory_order_relaxed) == 0)
    return false;
  JITNEY_TRY(auto captured, graph_for(plan, kernels, calls, inputs, outputs, where, std::move(forms)));
  if (!captured) return false;
  const Status ran = replay(*captured, inputs, outputs, where);
  graphs_.count(&GraphCounts::replayed);
  if (auto oldest = graphs_.give_back(std::move(captured))) destroy(*oldest);
  JITNEY_CHECK(ran);
  return true;
}

}  // namespace jitney::runtime
