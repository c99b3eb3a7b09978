// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "runtime/executor.h"

#include <algorithm>
#include <atomic>
#include <optional>

#include "util/log.h"
#include "util/trace.h"

namespace jitney::runtime {

/// A space out of the pool, returned on every way out.
class Executor::Borrowed {
 public:
  Borrowed(Spaces& spaces, const Where& where) : spaces_(spaces), space_(spaces.take(where)) {}
  ~Borrowed() { spaces_.give_back(std::move(space_)); }
  Borrowed(const Borrowed&) = delete;
  Borrowed& operator=(const Borrowed&) = delete;
  Space& operator*() { return *space_; }

 private:
  Spaces& spaces_;
  std::unique_ptr<Space> space_;
};

namespace {

std::size_t count_indirect(const Program& program) {
  return static_cast<std::size_t>(std::ranges::count_if(program.steps, [](const Step& s) { return s.reads_indirect; }));
}

}  // namespace

Executor::Executor(std::shared_ptr<const Program> program, Target target, backend::StreamOptions options,
                   std::shared_ptr<backend::PlanServices> services, std::shared_ptr<const WeightBudget> budget)
    : program_(std::move(program)),
      target_(std::move(target)),
      options_(options),
      budget_(std::move(budget)),
      planner_(program_, target_, std::move(services), budget_),
      constants_(program_, target_),
      spaces_(target_, options, count_indirect(*program_)) {
  for (std::size_t i = 0; i < program_->steps.size(); ++i) {
    const bool reads = program_->steps[i].reads_indirect;
    fault_of_.push_back(reads ? static_cast<int>(fault_step_.size()) : -1);
    if (reads) fault_step_.push_back(static_cast<int>(i));
  }
}

Executor::~Executor() {
  for (auto& g : graphs_.take_all()) destroy(*g);
  spaces_.clear();
  if (stream_ == 0) return;
  // What was freed above is free when the stream gets there.
  (void)target_.backend->synchronize(target_.device, stream_);
  target_.backend->destroy_stream(target_.device, stream_);
}

Status Executor::prepare() {
  JITNEY_TRY(stream_, target_.backend->create_stream(target_.device, options_));
  spaces_.set_stream(stream_);
  return constants_.load();
}

Expected<Where> Executor::resolve(const RunOptions& options) const {
  Where where;
  if (!options.is_callers_stream) return where;
  auto& b = *target_.backend;
  if (target_.info.host_memory) {
    if (options.stream != 0) return user_error("a CPU has no stream {}: 0 is its only one", options.stream);
    return where;
  }
  where.stream = options.stream;
  where.waits = options.seconds != nullptr;
  where.is_fenced = b.is_default_stream(options.stream);
  if (where.is_fenced) return where;
  // First: of a stream that is being captured not even the number may be asked for.
  JITNEY_TRY(where.is_captured, b.is_captured(target_.device, options.stream));
  if (!where.is_captured) {
    JITNEY_TRY(where.identity, b.stream_identity(target_.device, options.stream));
  }
  return where;
}

Status Executor::run(const Plan& plan, const Kernels& kernels, std::span<void* const> inputs,
                     std::span<void* const> outputs, const RunOptions& options) {
  JITNEY_TRY(const Where where, resolve(options));
  JITNEY_TRY(const CallSet* calls, calls_of(plan));
  if (where.is_captured) return run_captured(plan, kernels, calls, inputs, outputs, options);
  auto forms = options.specialized ? plan.forms.get() : nullptr;
  if (forms && forms->calls()) calls = forms->calls();
  if (forms && plan.forms.is_first_use()) {
    TraceSpan swap_in("specialize", "first use");
    swap_in.end_flow(reinterpret_cast<std::uintptr_t>(&plan));
  }
  if (options.captures && !options.seconds) {
    JITNEY_TRY(const bool done, run_graph(plan, kernels, calls, inputs, outputs, where, forms));
    if (done) return {};
  }
  Borrowed borrowed(spaces_, where);
  Space& w = *borrowed;
  w.seconds = options.seconds;
  w.interrupt = options.interrupt;
  JITNEY_CHECK(check_faults(w, "in an earlier call"));
  // Kernels that nobody else holds any more may still run.
  if (w.forms && w.forms != forms && w.is_pending && w.forms.use_count() == 1) JITNEY_CHECK(spaces_.settle(w));
  w.forms = std::move(forms);
  JITNEY_TRY(const backend::StreamHandle stream, spaces_.enter(w, where));
  if (options.is_transient) spaces_.release(w, stream);
  const Status ran = run_on(plan, kernels, calls, inputs, outputs, w, stream);
  // On a device in the order of the stream, on the host once the work is done.
  if (options.is_transient && !target_.info.host_memory) spaces_.release(w, stream);
  const Status left = spaces_.leave(w, where, stream);
  if (options.is_transient) spaces_.release(w, stream);
  if (!w.is_pending) w.forms = nullptr;
  JITNEY_CHECK(ran);
  JITNEY_CHECK(left);
  return where.waits ? check_faults(w, nullptr) : Status{};
}

Status Executor::run_on(const Plan& plan, const Kernels& kernels, const CallSet* calls, std::span<void* const> inputs,
                        std::span<void* const> outputs, Space& w, backend::StreamHandle stream) {
  JITNEY_CHECK(bind(plan, calls, inputs, outputs, w, stream));
  if (!calls) return launch(plan, kernels, w, nullptr, nullptr, stream);
  JITNEY_TRY(auto borrowed_invocations, calls->borrow(target_));
  // Both go back on every way out, also when the interpreter finds no memory and throws.
  struct Bracket {
    const Target& target;
    const CallSet& calls;
    backend::StreamHandle stream;
    std::unique_ptr<CallSet::Invocations> invocations;
    std::optional<std::uintptr_t> token;
    ~Bracket() {
      if (token) target.backend->end_execute(target.device, stream, *token);
      calls.give_back(std::move(invocations));
    }
  } bracket{target_, *calls, stream, std::move(borrowed_invocations), std::nullopt};
  JITNEY_TRY(bracket.token, target_.backend->begin_execute(target_.device, stream));
  JITNEY_CHECK(launch(plan, kernels, w, calls, bracket.invocations.get(), stream));
  // Here the end of the bracket is the end of the work.
  return target_.info.host_memory ? target_.backend->synchronize(target_.device, stream) : Status{};
}

Status Executor::run_captured(const Plan& plan, const Kernels& kernels, const CallSet* calls,
                              std::span<void* const> inputs, std::span<void* const> outputs,
                              const RunOptions& options) {
  // Memory that the graph itself allocates and frees: nobody here learns when it is gone.
  Space w;
  if (options.specialized) w.forms = plan.forms.get();
  if (w.forms && w.forms->calls()) calls = w.forms->calls();
  if (auto why = why_not_capturable(plan, kernels, calls); !why.empty())
    return environment_error("this model cannot be captured into a graph: {}", why);
  if (options.captures)
    warn_once("outer capture",
              "a call on a stream that is being captured is recorded into that graph; the engine's own "
              "graph is off for it");
  const backend::StreamHandle stream = options.stream;
  if (w.forms) {
    const std::lock_guard lock(lent_mutex_);
    if (std::ranges::find(lent_, w.forms) == lent_.end()) lent_.push_back(w.forms);
  }
  const Status ran = run_on(plan, kernels, calls, inputs, outputs, w, stream);
  if (w.arena != nullptr) target_.backend->free(target_.device, w.arena, w.arena_bytes, stream);
  if (ran) graphs_.count(&GraphCounts::lent);
  return ran;
}

Status Executor::synchronize(backend::StreamHandle stream) {
  if (!target_.info.host_memory) JITNEY_CHECK(target_.backend->synchronize(target_.device, stream));
  Status status;
  const auto look = [&](const Space& space) {
    if (auto checked = check_faults(space, "in an earlier call"); !checked) status = checked;
  };
  spaces_.for_each(look);
  graphs_.for_each([&](const CapturedPlan& c) { look(c.space); });
  return status;
}

Status Executor::bind(const Plan& plan, const CallSet* calls, std::span<void* const> inputs,
                      std::span<void* const> outputs, Space& w, backend::StreamHandle stream) {
  const std::size_t align = target_.info.alignment;
  const std::size_t scratch_at = (plan.arena_bytes + align - 1) / align * align;
  const std::size_t needed = calls && calls->scratch_bytes > 0 ? scratch_at + calls->scratch_bytes : plan.arena_bytes;
  JITNEY_CHECK(spaces_.reserve(w, needed, stream));
  w.scratch = static_cast<char*>(w.arena) + scratch_at;
  bind_pointers(plan, inputs, outputs, w);
  return {};
}

void Executor::bind_pointers(const Plan& plan, std::span<void* const> inputs, std::span<void* const> outputs,
                             Space& w) const {
  w.pointers.resize(plan.slots.size());
  for (std::size_t i = 0; i < plan.slots.size(); ++i) {
    const Slot& s = plan.slots[i];
    switch (s.kind) {
      case Slot::Kind::arena: w.pointers[i] = static_cast<char*>(w.arena) + s.at; break;
      case Slot::Kind::constant: w.pointers[i] = constants_.at(static_cast<ir::ValueId>(s.at)); break;
      case Slot::Kind::input: w.pointers[i] = inputs[s.at]; break;
      case Slot::Kind::output: w.pointers[i] = outputs[s.at]; break;
    }
  }
}

Status Executor::check_faults(const Space& w, const char* when) const {
  if (w.faults == nullptr) return {};
  Status status;
  for (std::size_t i = 0; i < fault_step_.size(); ++i) {
    // The device writes it whenever its kernel gets there.
    if (std::atomic_ref(w.faults[i]).exchange(0, std::memory_order_relaxed) == 0) continue;
    const std::string& name = program_->steps[static_cast<std::size_t>(fault_step_[i])].node->name;
    if (!status) continue;
    status = when != nullptr ? user_error("an index of '{}' was out of range {}", name, when)
                             : user_error("an index of '{}' is out of range", name);
  }
  return status;
}

}  // namespace jitney::runtime
