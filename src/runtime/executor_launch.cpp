// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
// One step after the other: a generated kernel, a library call, or the interpreter.
#include <chrono>
#include <cstring>

#include "passes/call.h"
#include "runtime/enqueue_mark.h"
#include "runtime/executor.h"
#include "runtime/pace.h"
#include "runtime/strided.h"
#include "util/reloadable.h"
#include "util/trace.h"

namespace jitney::runtime {

Expected<const CallSet*> Executor::calls_of(const Plan& plan, backend::Haste haste) {
  if (!plan.has_calls) return nullptr;
  if (const CallSet* ready = plan.calls_ready.load(std::memory_order_acquire)) return ready;
  std::lock_guard lock(plan.calls_mutex);
  if (!plan.calls) {
    const TraceSpan span("plan", "library calls");
    if (haste == backend::Haste::at_once) Pace::of_process().new_shape();
    JITNEY_TRY(plan.calls, planner_.plan(plan, constants_, stream_, haste));
    plan.calls_ready.store(plan.calls.get(), std::memory_order_release);
    // The budget may have changed meanwhile, by somebody who did not see these.
    if (budget_ && budget_->bytes() < budget_->total()) plan.calls->drop(plan.steps, *budget_);
    // Whoever comes with a second shape will come with more.
    if (haste == backend::Haste::at_once && !has_rehearsed_.exchange(true)) rehearse_(plan);
    // On the host libraries are asked each time: they are quick, and weights are packed as they like them.
    if (rehearse_ && !target_.info.host_memory && !program_->graph.symbols.empty() && planner_.may_hurry())
      is_served_ = true;
  }
  return plan.calls.get();
}

Expected<std::shared_ptr<const CallSet>> Executor::better_calls(const Plan& plan, const std::stop_token& stop) {
  JITNEY_TRY(const CallSet* calls, calls_of(plan, backend::Haste::normal));
  if (calls == nullptr || !calls->is_provisional) return nullptr;
  const TraceSpan span("plan", "library calls again");
  JITNEY_TRY(auto better, planner_.plan(plan, constants_, stream_, backend::Haste::ahead, stop));
  for (std::size_t i = 0; i < calls->calls.size(); ++i)
    if (calls->calls[i].primitive && !better->calls[i].primitive) return nullptr;  // the interpreter is not better
  return better;
}

void Executor::drop_weights(std::span<const std::shared_ptr<const Plan>> plans) {
  planner_.drop();
  for (const auto& plan : plans)
    if (const CallSet* calls = plan->calls_ready.load(std::memory_order_acquire)) calls->drop(plan->steps, *budget_);
}

Status Executor::call(const PlannedCall& call, backend::Invocation& invocation, const void* plain, const PlannedStep& p,
                      Space& w, backend::StreamHandle stream) {
  w.operands.resize(p.slot_count);
  for (std::size_t i = 0; i < p.slot_count; ++i) {
    // Libraries only read it.
    void* from = i == 1 && plain != nullptr ? const_cast<void*>(plain) : w.pointers[p.first_slot + i];
    w.operands[i] = static_cast<char*>(from) + call.offsets[i];
  }
  return target_.backend->run(target_.device, invocation, w.operands, w.scratch, stream);
}

Status Executor::call_with_weights(const CallSet& calls, std::size_t i, const PlannedStep& p, Space& w,
                                   backend::StreamHandle stream) {
  const PlannedCall& known = calls.calls[i];
  PlannedCall planned{known.primitive, nullptr, known.offsets, known.operations, {}, known.packing, true};
  {
    const TraceSpan span("weights", "brought for a call");
    JITNEY_CHECK(planner_.bring_weights(p, constants_, planned));
  }
  JITNEY_TRY(const auto invocation, target_.backend->invocation(target_.device, planned.primitive, planned.weights));
  calls.hold(i, planned, static_cast<std::size_t>(p.step), *budget_);
  return call(planned, *invocation, planned.plain.data, p, w, stream);
}

Status Executor::launch(const Plan& plan, const Kernels& kernels, Space& w, const CallSet* calls,
                        CallSet::Invocations* invocations, backend::StreamHandle stream) {
  for (std::size_t i = 0; i < plan.steps.size(); ++i) {
    if (w.interrupt) {
      if (auto go_on = w.interrupt->check(); !go_on) {
        JITNEY_CHECK(target_.backend->synchronize(target_.device, stream));  // nobody's memory is written later
        return go_on;
      }
    }
    if (!w.seconds) {
      JITNEY_CHECK(launch_step(plan, i, kernels, w, calls, invocations, stream));
      continue;
    }
    const auto begin = std::chrono::steady_clock::now();
    JITNEY_CHECK(launch_step(plan, i, kernels, w, calls, invocations, stream));
    JITNEY_CHECK(target_.backend->synchronize(target_.device, stream));
    (*w.seconds)[i] = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  }
  mark_enqueued();
  return {};
}

std::pair<std::string, std::int64_t> Executor::call_of(const Plan& plan, std::size_t step) const {
  const auto forms = plan.forms.get();
  const CallSet* calls = forms && forms->calls() ? forms->calls() : plan.calls_ready.load(std::memory_order_acquire);
  if (!calls || !calls->calls[step].primitive) return {"", -1};
  return {calls->calls[step].primitive->implementation(), calls->calls[step].operations};
}

backend::KernelHandle Executor::kernel_of(const Plan& plan, std::size_t i, const Kernels& kernels,
                                          const CallSet* calls) const {
  const PlannedStep& p = plan.steps[i];
  const Step& step = program_->steps[static_cast<std::size_t>(p.step)];
  if (p.points == 0 || (step.is_call && calls && calls->calls[i].primitive) || step.distinct < 0) return 0;
  return kernels[static_cast<std::size_t>(step.distinct)];
}

backend::LaunchArgs Executor::arguments(const Plan& plan, std::size_t i, Space& w) const {
  const PlannedStep& p = plan.steps[i];
  const Step& step = program_->steps[static_cast<std::size_t>(p.step)];
  backend::LaunchArgs args;
  args.pointers = w.pointers.data() + p.first_slot;
  args.pointer_count = static_cast<std::int32_t>(p.slot_count);
  args.numbers = plan.numbers.data() + p.first_number;
  args.number_count = static_cast<std::int32_t>(p.number_count);
  args.end = p.points;
  args.grain = p.grain;
  args.block_threads = step.emitted.block_threads;
  args.block_points = step.emitted.block_points;
  args.rounds = p.rounds;
  if (w.forms && w.forms->step(i).kernel != 0) {
    const Forms::Step& own = w.forms->step(i);
    args.numbers = w.forms->numbers() + own.first_number;
    args.number_count = static_cast<std::int32_t>(own.number_count);
    args.end = own.points;
    args.grain = own.grain;
    args.granule = own.granule;
    args.block_threads = own.block_threads;
    args.block_points = own.block_points;
    args.rounds = own.rounds;
  }
  // A bad index reads element 0, and is told when everything has run.
  if (const int fault = fault_of_[static_cast<std::size_t>(p.step)]; fault >= 0) {
    static std::int32_t nobody = 0;  // in somebody else's capture: the backend knows that nobody looks
    args.fault_is_shared = w.faults != nullptr;
    args.fault = args.fault_is_shared ? w.faults + fault : &nobody;
  }
  return args;
}

Status Executor::launch_step(const Plan& plan, std::size_t i, const Kernels& kernels, Space& w, const CallSet* calls,
                             CallSet::Invocations* invocations, backend::StreamHandle stream) {
  const PlannedStep& p = plan.steps[i];
  const Step& step = program_->steps[static_cast<std::size_t>(p.step)];
  const TraceSpan span(target_.info.host_memory ? "step" : "launch", step.node->name);
  if (step.is_call) {
    if (p.points == 0) return {};
    if (const PlannedCall& planned = calls->calls[i]; planned.primitive)
      return invocations->of[i] ? call(planned, *invocations->of[i], invocations->plain[i].data, p, w, stream)
                                : call_with_weights(*calls, i, p, w, stream);
  }
  backend::KernelHandle kernel = step.distinct < 0 ? 0 : kernels[static_cast<std::size_t>(step.distinct)];
  if (kernel == 0) return interpret(plan, p, w, stream);
  if (p.points == 0) return {};
  if (w.forms && w.forms->step(i).kernel != 0) kernel = w.forms->step(i).kernel;
  return target_.backend->launch(target_.device, kernel, arguments(plan, i, w), stream);
}

Status Executor::interpret(const Plan& plan, const PlannedStep& p, Space& w, backend::StreamHandle stream) {
  const Step& step = program_->steps[static_cast<std::size_t>(p.step)];
  auto& b = *target_.backend;
  JITNEY_CHECK(b.synchronize(target_.device, stream));
  const ir::Graph& body = step.node->graph("body");
  void** pointers = w.pointers.data() + p.first_slot;
  std::vector<Tensor> inputs;
  for (std::size_t i = 0; i < step.node->inputs.size(); ++i) {
    // Gather the view's elements into a contiguous tensor.
    const auto& value = program_->graph.value(step.node->inputs[i]);
    const auto& view = program_->views[static_cast<std::size_t>(step.node->inputs[i])];
    JITNEY_TRY(auto shape, ir::evaluate(value.shape, plan.symbols));
    JITNEY_TRY(auto strides, ir::evaluate(view.strides, plan.symbols));
    JITNEY_TRY(auto offset, view.offset.evaluate(plan.symbols));
    const char* base = static_cast<const char*>(pointers[i]);
    Tensor weights;
    if (base == nullptr && program_->graph.is_constant(view.root)) {
      JITNEY_TRY(weights, resident(*program_->graph.value(view.root).constant));
      base = static_cast<const char*>(weights.data());
    }
    std::vector<char> host;
    if (!target_.info.host_memory && weights.data() == nullptr) {
      JITNEY_TRY(auto root, ir::evaluate(program_->graph.value(view.root).shape, plan.symbols));
      std::size_t bytes = size_of(value.dtype);
      for (auto e : root) bytes *= static_cast<std::size_t>(e);
      host.resize(bytes);
      JITNEY_CHECK(b.copy(target_.device, host.data(), base, bytes, backend::CopyKind::device_to_host, stream));
      base = host.data();
    }
    Tensor t(value.dtype, shape);
    copy_strided(value.dtype, shape, base + offset * static_cast<std::int64_t>(size_of(value.dtype)), strides,
                 t.data());
    inputs.push_back(std::move(t));
  }
  std::vector<const Tensor*> arguments;
  for (const auto& t : inputs) arguments.push_back(&t);
  interpreted_operators_.fetch_add(body.nodes.size(), std::memory_order_relaxed);
  JITNEY_TRY(auto outputs, ir::interpret_body(body, arguments, plan.symbols));
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    void* to = pointers[step.node->inputs.size() + i];
    if (outputs[i].num_bytes() == 0) continue;
    if (target_.info.host_memory)
      std::memcpy(to, outputs[i].data(), outputs[i].num_bytes());
    else
      JITNEY_CHECK(b.copy(target_.device, to, outputs[i].data(), outputs[i].num_bytes(),
                          backend::CopyKind::host_to_device, stream));
  }
  return {};
}

}  // namespace jitney::runtime
