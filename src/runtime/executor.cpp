// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "runtime/executor.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <optional>

#include "passes/call.h"
#include "runtime/interrupt.h"
#include "runtime/strided.h"
#include "util/reloadable.h"

namespace jitney::runtime {

/// A workspace out of the pool, returned on every way out.
class Executor::Borrowed {
 public:
  explicit Borrowed(Executor& executor) : executor_(executor) {
    std::lock_guard lock(executor_.mutex_);
    if (executor_.idle_.empty()) {
      space_ = std::make_unique<Workspace>();
    } else {
      space_ = std::move(executor_.idle_.back());
      executor_.idle_.pop_back();
    }
  }
  ~Borrowed() {
    space_->forms = nullptr;
    std::lock_guard lock(executor_.mutex_);
    executor_.idle_.push_back(std::move(space_));
  }
  Workspace& operator*() { return *space_; }

 private:
  Executor& executor_;
  std::unique_ptr<Workspace> space_;
};

Executor::Executor(std::shared_ptr<const Program> program, Target target, backend::StreamOptions options,
                   std::shared_ptr<backend::PlanServices> services)
    : program_(std::move(program)),
      target_(std::move(target)),
      options_(options),
      planner_(program_, target_, std::move(services)) {}

Executor::~Executor() {
  for (auto& g : graphs_) destroy(*g);
  for (auto& w : idle_) release(*w);
  for (auto [p, bytes] : owned_) target_.backend->free(target_.device, p, bytes, stream_);
  if (stream_ != 0) target_.backend->destroy_stream(target_.device, stream_);
}

namespace {

/// Whether a value's own bytes are read by more than the packing of library calls, which happens once.
std::vector<bool> plainly_read_constants(const Program& program) {
  std::vector<bool> result(program.graph.values.size(), false);
  for (const Step& step : program.steps) {
    const bool packs = step.is_call && passes::packs_second_operand(step.node->graph("body"));
    for (std::size_t i = 0; i < step.roots.size(); ++i)
      if (!(packs && i == 1)) result[static_cast<std::size_t>(step.roots[i])] = true;
  }
  for (const ir::ValueId out : program.graph.outputs)
    result[static_cast<std::size_t>(program.views[static_cast<std::size_t>(out)].root)] = true;
  return result;
}

}  // namespace

Status Executor::prepare() {
  auto& b = *target_.backend;
  JITNEY_TRY(stream_, b.create_stream(target_.device, options_));
  const auto& values = program_->graph.values;
  constants_.assign(values.size(), nullptr);
  const std::vector<bool> is_read_plainly = plainly_read_constants(*program_);
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (!values[i].constant || (target_.info.host_memory && !is_read_plainly[i])) continue;
    JITNEY_TRY(Tensor t, resident(*values[i].constant));
    if (target_.info.host_memory) {
      constants_[i] = t.data();  // kernels only read operands that are inputs
      held_.push_back(std::move(t));
      continue;
    }
    JITNEY_TRY(void* memory, b.allocate(target_.device, t.num_bytes(), stream_));
    owned_.emplace_back(memory, t.num_bytes());
    JITNEY_CHECK(b.copy(target_.device, memory, t.data(), t.num_bytes(), backend::CopyKind::host_to_device, stream_));
    constants_[i] = memory;
  }
  return {};
}

Status Executor::run(const Plan& plan, const std::vector<backend::KernelHandle>& kernels, std::span<void* const> inputs,
                     std::span<void* const> outputs, const RunOptions& options, std::vector<double>* seconds) {
  JITNEY_TRY(const CallSet* calls, calls_of(plan));
  if (options.captures && !seconds) {
    JITNEY_TRY(const bool done, run_graph(plan, kernels, calls, inputs, outputs, options.specialized));
    if (done) return {};
  }
  Borrowed borrowed(*this);
  Workspace& w = *borrowed;
  w.seconds = seconds;
  w.interrupted = options.interrupted;
  w.forms = options.specialized ? plan.forms.get() : nullptr;
  JITNEY_CHECK(bind(plan, calls, inputs, outputs, w));
  auto& b = *target_.backend;
  if (!calls) {
    JITNEY_CHECK(launch(plan, kernels, w, nullptr, nullptr));
    JITNEY_CHECK(b.synchronize(target_.device, stream_));
    return check_faults(plan, w);
  }
  JITNEY_TRY(auto borrowed_invocations, calls->borrow(target_));
  // Both go back on every way out, also when the interpreter finds no memory and throws.
  struct Bracket {
    const Executor& executor;
    const CallSet& calls;
    std::unique_ptr<CallSet::Invocations> invocations;
    std::optional<std::uintptr_t> token;
    ~Bracket() {
      const Target& target = executor.target_;
      if (token) target.backend->end_execute(target.device, executor.stream_, *token);
      calls.give_back(std::move(invocations));
    }
  } bracket{*this, *calls, std::move(borrowed_invocations), std::nullopt};
  JITNEY_TRY(bracket.token, b.begin_execute(target_.device, stream_));
  JITNEY_CHECK(launch(plan, kernels, w, calls, bracket.invocations.get()));
  JITNEY_CHECK(b.synchronize(target_.device, stream_));
  return check_faults(plan, w);
}

void Executor::release(Workspace& w) {
  if (w.arena) target_.backend->free(target_.device, w.arena, w.arena_bytes, stream_);
  w.arena = nullptr;
  w.arena_bytes = 0;
}

Status Executor::bind(const Plan& plan, const CallSet* calls, std::span<void* const> inputs,
                      std::span<void* const> outputs, Workspace& w) {
  const std::size_t align = target_.info.alignment;
  const std::size_t scratch_at = (plan.arena_bytes + align - 1) / align * align;
  const std::size_t needed = calls && calls->scratch_bytes > 0 ? scratch_at + calls->scratch_bytes : plan.arena_bytes;
  if (w.arena_bytes < needed) {
    release(w);
    JITNEY_TRY(w.arena, target_.backend->allocate(target_.device, needed, stream_));
    w.arena_bytes = needed;
  }
  w.scratch = static_cast<char*>(w.arena) + scratch_at;
  w.pointers.resize(plan.slots.size());
  for (std::size_t i = 0; i < plan.slots.size(); ++i) {
    const Slot& s = plan.slots[i];
    switch (s.kind) {
      case Slot::Kind::arena: w.pointers[i] = static_cast<char*>(w.arena) + s.at; break;
      case Slot::Kind::constant: w.pointers[i] = constants_[s.at]; break;
      case Slot::Kind::input: w.pointers[i] = inputs[s.at]; break;
      case Slot::Kind::output: w.pointers[i] = outputs[s.at]; break;
    }
  }
  if (w.faults.size() < plan.steps.size()) w.faults.resize(plan.steps.size());
  std::fill(w.faults.begin(), w.faults.end(), 0);
  return {};
}

Status Executor::check_faults(const Plan& plan, const Workspace& w) const {
  for (std::size_t i = 0; i < plan.steps.size(); ++i)
    if (w.faults[i] != 0)
      return user_error("an index of '{}' is out of range",
                        program_->steps[static_cast<std::size_t>(plan.steps[i].step)].node->name);
  return {};
}

Expected<const CallSet*> Executor::calls_of(const Plan& plan) {
  if (!plan.has_calls) return nullptr;
  if (const CallSet* ready = plan.calls_ready.load(std::memory_order_acquire)) return ready;
  std::lock_guard lock(plan.calls_mutex);
  if (!plan.calls) {
    JITNEY_TRY(plan.calls, planner_.plan(plan, constants_, stream_));
    plan.calls_ready.store(plan.calls.get(), std::memory_order_release);
  }
  return plan.calls.get();
}

Status Executor::call(const PlannedCall& call, backend::Invocation& invocation, const PlannedStep& p, Workspace& w) {
  w.operands.resize(p.slot_count);
  for (std::size_t i = 0; i < p.slot_count; ++i)
    w.operands[i] = static_cast<char*>(w.pointers[p.first_slot + i]) + call.offsets[i];
  return target_.backend->run(target_.device, invocation, w.operands, w.scratch, stream_);
}

Status Executor::launch(const Plan& plan, const std::vector<backend::KernelHandle>& kernels, Workspace& w,
                        const CallSet* calls, CallSet::Invocations* invocations) {
  Interrupt interrupt(w.interrupted);
  for (std::size_t i = 0; i < plan.steps.size(); ++i) {
    if (auto go_on = interrupt.check(); !go_on) {
      JITNEY_CHECK(target_.backend->synchronize(target_.device, stream_));  // nobody's memory is written later
      return go_on;
    }
    if (!w.seconds) {
      JITNEY_CHECK(launch_step(plan, i, kernels, w, calls, invocations));
      continue;
    }
    const auto begin = std::chrono::steady_clock::now();
    JITNEY_CHECK(launch_step(plan, i, kernels, w, calls, invocations));
    JITNEY_CHECK(target_.backend->synchronize(target_.device, stream_));
    (*w.seconds)[i] = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  }
  return {};
}

std::pair<std::string, std::int64_t> Executor::call_of(const Plan& plan, std::size_t step) const {
  const CallSet* calls = plan.calls_ready.load(std::memory_order_acquire);
  if (!calls || !calls->calls[step].primitive) return {"", -1};
  return {calls->calls[step].primitive->implementation(), calls->calls[step].operations};
}

Status Executor::launch_step(const Plan& plan, std::size_t i, const std::vector<backend::KernelHandle>& kernels,
                             Workspace& w, const CallSet* calls, CallSet::Invocations* invocations) {
  const PlannedStep& p = plan.steps[i];
  const Step& step = program_->steps[static_cast<std::size_t>(p.step)];
  if (step.is_call) {
    if (p.points == 0) return {};
    if (const PlannedCall& planned = calls->calls[i]; planned.primitive) return call(planned, *(*invocations)[i], p, w);
  }
  backend::KernelHandle kernel = step.distinct < 0 ? 0 : kernels[static_cast<std::size_t>(step.distinct)];
  if (kernel == 0) return interpret(plan, p, w);
  if (p.points == 0) return {};
  backend::LaunchArgs args;
  args.pointers = w.pointers.data() + p.first_slot;
  args.pointer_count = static_cast<std::int32_t>(p.slot_count);
  args.numbers = plan.numbers.data() + p.first_number;
  args.number_count = static_cast<std::int32_t>(p.number_count);
  args.end = p.points;
  args.grain = p.grain;
  args.block_threads = step.emitted.block_threads;
  args.block_points = step.emitted.block_points;
  if (w.forms && w.forms->step(i).kernel != 0) {
    const Forms::Step& own = w.forms->step(i);
    kernel = own.kernel;
    args.numbers = w.forms->numbers() + own.first_number;
    args.number_count = static_cast<std::int32_t>(own.number_count);
    args.end = own.points;
    args.grain = own.grain;
    args.granule = own.granule;
    args.block_threads = own.block_threads;
    args.block_points = own.block_points;
  }
  // A bad index reads element 0, and is told when everything has run.
  args.fault = step.reads_indirect ? &w.faults[i] : nullptr;
  return target_.backend->launch(target_.device, kernel, args, stream_);
}

Status Executor::interpret(const Plan& plan, const PlannedStep& p, Workspace& w) {
  const Step& step = program_->steps[static_cast<std::size_t>(p.step)];
  auto& b = *target_.backend;
  JITNEY_CHECK(b.synchronize(target_.device, stream_));
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
    if (!target_.info.host_memory) {
      JITNEY_TRY(auto root, ir::evaluate(program_->graph.value(view.root).shape, plan.symbols));
      std::size_t bytes = size_of(value.dtype);
      for (auto e : root) bytes *= static_cast<std::size_t>(e);
      host.resize(bytes);
      JITNEY_CHECK(b.copy(target_.device, host.data(), base, bytes, backend::CopyKind::device_to_host, stream_));
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
                          backend::CopyKind::host_to_device, stream_));
  }
  return {};
}

}  // namespace jitney::runtime
