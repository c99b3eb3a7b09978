// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <jitney/execution_context.h>

#include <fmt/ranges.h>

#include <algorithm>
#include <atomic>
#include <mutex>

#include "engine/engine_impl.h"
#include "engine/profiles.h"
#include "engine/readable.h"
#include "runtime/executor.h"
#include "runtime/kernel_set.h"
#include "runtime/output_staging.h"
#include "runtime/shared_engine.h"
#include "runtime/staged_context.h"
#include "runtime/staged_inputs.h"
#include "runtime/strided.h"
#include "util/trace.h"

namespace jitney {

/// What ExecutionContext does, without exceptions. Thread-safe.
class ExecutionContext::Impl {
 public:
  Impl(Engine e, ContextOptions o, std::shared_ptr<runtime::SharedEngine> s)
      : engine(std::move(e)), options(std::move(o)), shared(std::move(s)) {}

  /// The one wait: kernels that are missing are compiled here, once.
  Status prepare() {
    if (ready.load(std::memory_order_acquire)) return {};
    JITNEY_CHECK(shared->prepare(options));
    const std::lock_guard lock(prepare_mutex);
    if (ready.load(std::memory_order_relaxed)) return {};
    strided_copy = std::make_unique<runtime::StridedCopy>(target, shared->cache());
    ready.store(true, std::memory_order_release);
    request_optima();
    return {};
  }

  Status check_inputs(std::span<const TensorView> inputs) const {
    const auto& g = graph();
    if (inputs.size() != g.inputs.size())
      return user_error("expected {} inputs, found {}", g.inputs.size(), inputs.size());
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      const auto& v = g.value(g.inputs[i]);
      if (inputs[i].dtype != v.dtype)
        return user_error("input '{}' must be {}, found {}", v.name, to_string(v.dtype), to_string(inputs[i].dtype));
      if (inputs[i].shape.size() != v.shape.size())
        return user_error("input '{}' must have {} dimensions, found {}", v.name, v.shape.size(),
                          inputs[i].shape.size());
      if (!(inputs[i].device.type == options.device.type && inputs[i].device.index == options.device.index) &&
          !target.info.host_memory)
        return user_error("input '{}' must be on {}, found {}", v.name, to_string(options.device),
                          to_string(inputs[i].device));
      if (target.info.host_memory && inputs[i].device.type == Device::Type::cuda)
        return user_error("input '{}' must be on {}, found {}", v.name, to_string(options.device),
                          to_string(inputs[i].device));
      JITNEY_CHECK(engine::check_readable(inputs[i], v.name));
    }
    return {};
  }

  Expected<std::shared_ptr<const runtime::Plan>> plan_for(std::span<const TensorView> inputs) {
    JITNEY_CHECK(check_inputs(inputs));
    auto plan = plans.find(inputs);
    if (!plan) {
      const TraceSpan span("plan", engine.name());
      JITNEY_TRY(plan, add_plan(shapes_of(inputs)));
    }
    if (!profiles().empty()) JITNEY_CHECK(choose_profile(plan->fitting_profiles, plan->input_shapes));
    return plan;
  }

  static std::vector<std::vector<std::int64_t>> shapes_of(std::span<const TensorView> inputs) {
    std::vector<std::vector<std::int64_t>> shapes;
    for (const auto& in : inputs) shapes.emplace_back(in.shape.begin(), in.shape.end());
    return shapes;
  }

  const std::vector<OptimizationProfile>& profiles() const { return engine.impl()->profiles(); }

  /// The profile of a run: what was asked for, if the shapes are in it.
  Status choose_profile(std::uint64_t fitting, const std::vector<std::vector<std::int64_t>>& shapes) {
    const int wanted = shared->wanted_profile.load(std::memory_order_relaxed);
    const int active = shared->active_profile.load(std::memory_order_relaxed);
    const int chosen = engine::choose_profile(fitting, wanted, active);
    if (chosen < 0) return engine::no_profile(engine.impl()->graph(), profiles(), wanted, shapes);
    if (chosen != active) shared->active_profile.store(chosen, std::memory_order_relaxed);
    return {};
  }

  /// Kernels for the profiles' optima, in the background, once for all contexts.
  void request_optima() {
    if (profiles().empty() || staged ||
        options.dynamic_shapes_kernel_specialization_strategy == DynamicShapesKernelSpecializationStrategy::none ||
        shared->optima_requested.exchange(true))
      return;
    for (const auto& profile : profiles()) {
      std::vector<std::vector<std::int64_t>> shapes;
      for (const auto& range : profile.inputs) shapes.push_back(range.opt);
      // An input whose range is open has no optimum.
      if (auto plan = plan_of(shapes)) shared->specializer->request(*plan);
    }
  }

  /// The plan for shapes that no tensors have yet.
  Expected<std::shared_ptr<const runtime::Plan>> plan_of(const std::vector<std::vector<std::int64_t>>& shapes) {
    const auto& g = program->graph;
    if (shapes.size() != g.inputs.size())
      return user_error("expected the shapes of {} inputs, found {}", g.inputs.size(), shapes.size());
    for (std::size_t i = 0; i < shapes.size(); ++i) {
      const auto& v = g.value(g.inputs[i]);
      if (shapes[i].size() != v.shape.size())
        return user_error("input '{}' must have {} dimensions, found {}", v.name, v.shape.size(), shapes[i].size());
      for (const auto e : shapes[i])
        if (e < 0) return user_error("input '{}' has a negative extent {}", v.name, e);
    }
    return add_plan(shapes);
  }

  Expected<std::shared_ptr<const runtime::Plan>> add_plan(std::vector<std::vector<std::int64_t>> shapes) {
    JITNEY_TRY(auto plan, runtime::make_plan(*program, std::move(shapes), target.info.alignment));
    if (!profiles().empty()) {
      plan->fitting_profiles = engine::fitting_profiles(profiles(), plan->input_shapes);
      if (plan->fitting_profiles == 0)
        return engine::no_profile(engine.impl()->graph(), profiles(), kAutoProfile, plan->input_shapes);
    }
    shared->plans_made.fetch_add(1, std::memory_order_relaxed);
    return plans.add(std::move(plan));
  }

  /// What the strategy says about a plan that is about to run.
  Status specialize(const std::shared_ptr<const runtime::Plan>& plan) {
    using enum DynamicShapesKernelSpecializationStrategy;
    switch (options.dynamic_shapes_kernel_specialization_strategy) {
      case none: return {};
      case eager:
        return plan->forms.state() == runtime::FormSlot::State::ready
                   ? Status{}
                   : shared->specializer->make_now(plan, options.progress, options.interrupted);
      case lazy:
        // A shape that never comes again is not worth a compile.
        if (plan->uses.fetch_add(1, std::memory_order_relaxed) >= plan->worth_from.load(std::memory_order_relaxed) &&
            plan->forms.state() == runtime::FormSlot::State::none)
          shared->specializer->request(plan);
    }
    return {};
  }

  /// Where the inputs' elements are, row-major: what is not is copied to `staging`.
  Status place_inputs(std::span<const TensorView> inputs, void** pointers, runtime::StagedInputs& staging,
                      const runtime::RunOptions& where) {
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      pointers[i] = inputs[i].data;
      const bool is_aligned = reinterpret_cast<std::uintptr_t>(inputs[i].data) % size_of(inputs[i].dtype) == 0;
      if (runtime::is_contiguous(inputs[i]) && is_aligned) continue;
      const backend::StreamHandle stream = where.is_callers_stream ? where.stream : shared->executor().stream();
      JITNEY_TRY(pointers[i], staging.copy(inputs[i], i, stream, *strided_copy));
      // A run that waits is on a stream of its own.
      if (!where.is_callers_stream && !target.info.host_memory)
        JITNEY_CHECK(target.backend->synchronize(target.device, stream));
    }
    return {};
  }

  Status run(const runtime::Plan& plan, std::span<const TensorView> inputs, std::span<void* const> outputs,
             runtime::RunOptions where = {}) {
    where.captures = options.cuda_graph_strategy == CudaGraphStrategy::whole_graph_capture &&
                     options.device.type != Device::Type::cpu;
    where.is_transient = shared->is_transient.load(std::memory_order_relaxed);
    where.specialized =
        options.dynamic_shapes_kernel_specialization_strategy != DynamicShapesKernelSpecializationStrategy::none;
    runtime::Interrupt interrupt(&options.interrupted);
    where.interrupt = &interrupt;
    // A few pointers on the stack; more inputs than that are rare enough to allocate for.
    constexpr std::size_t kInline = 32;
    void* inline_pointers[kInline];
    std::vector<void*> many;
    void** pointers = inline_pointers;
    if (inputs.size() > kInline) {
      many.resize(inputs.size());
      pointers = many.data();
    }
    runtime::StagedInputs staging(target);
    JITNEY_CHECK(place_inputs(inputs, pointers, staging, where));
    last_plan_steps.store(static_cast<int>(plan.steps.size()), std::memory_order_relaxed);
    last_arena.store(static_cast<std::int64_t>(plan.arena_bytes), std::memory_order_relaxed);
    const std::span<void* const> in{pointers, inputs.size()};
    runtime::OutputStaging beside(target, *program, plan);
    JITNEY_CHECK(beside.check_apart(outputs));
    if (!beside.is_needed(in, outputs))
      return shared->executor().run(plan, shared->kernels().handles(), in, outputs, where);
    const backend::StreamHandle stream = where.is_callers_stream ? where.stream : shared->executor().stream();
    JITNEY_TRY(const auto elsewhere, beside.place(in, outputs, stream));
    // What was allocated in this stream's order is used on a stream of the run's own.
    if (!where.is_callers_stream) JITNEY_CHECK(target.backend->synchronize(target.device, stream));
    JITNEY_CHECK(shared->executor().run(plan, shared->kernels().handles(), in, elsewhere, where));
    JITNEY_CHECK(beside.finish());
    return where.is_callers_stream ? Status{} : target.backend->synchronize(target.device, stream);
  }

  /// The model, with its inputs and outputs.
  const ir::Graph& graph() const { return staged ? engine.impl()->graph() : program->graph; }

  /// Of an engine whose extents or control flow follow from data.
  Expected<std::vector<runtime::Cell>> run_staged(std::span<const TensorView> inputs) {
    JITNEY_CHECK(check_inputs(inputs));
    if (!profiles().empty()) {
      const auto shapes = shapes_of(inputs);
      JITNEY_CHECK(choose_profile(engine::fitting_profiles(profiles(), shapes), shapes));
    }
    JITNEY_CHECK(prepare());
    std::vector<void*> pointers(inputs.size());
    runtime::StagedInputs staging(target);
    JITNEY_CHECK(place_inputs(inputs, pointers.data(), staging, {}));
    std::vector<TensorView> row_major(inputs.begin(), inputs.end());
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      row_major[i].data = pointers[i];
      row_major[i].strides = {};
    }
    runtime::Interrupt interrupt(&options.interrupted);
    return staged->execute(row_major, interrupt, shared->is_transient.load(std::memory_order_relaxed));
  }

  Status check_output(std::size_t i, const TensorView& o, const std::vector<std::int64_t>& want) const {
    const auto& v = graph().value(graph().outputs[i]);
    if (o.dtype != v.dtype)
      return user_error("output '{}' must be {}, found {}", v.name, to_string(v.dtype), to_string(o.dtype));
    if (!std::equal(want.begin(), want.end(), o.shape.begin(), o.shape.end()))
      return user_error("output '{}' must have the shape [{}], found [{}]", v.name, fmt::join(want, ", "),
                        fmt::join(o.shape, ", "));
    if (!runtime::is_contiguous(o)) return user_error("output '{}' must be contiguous", v.name);
    if (o.data == nullptr && std::find(want.begin(), want.end(), 0) == want.end())
      return user_error("no memory was given for output '{}'", graph().output_name(i));
    return {};
  }

  Status execute(std::span<const TensorView> inputs, std::span<const TensorView> outputs,
                 const runtime::RunOptions& where) {
    const std::size_t count = graph().outputs.size();
    if (staged) {
      if (outputs.size() != count) return user_error("expected {} outputs, found {}", count, outputs.size());
      JITNEY_TRY(const auto cells, run_staged(inputs));
      for (std::size_t i = 0; i < count; ++i) JITNEY_CHECK(check_output(i, outputs[i], cells[i].shape));
      for (std::size_t i = 0; i < count; ++i) JITNEY_CHECK(staged->copy_out(cells[i], outputs[i].data));
      return {};
    }
    JITNEY_TRY(auto plan, plan_for(inputs));
    if (outputs.size() != count) return user_error("expected {} outputs, found {}", count, outputs.size());
    constexpr std::size_t kInline = 32;
    void* inline_pointers[kInline];
    std::vector<void*> many;
    void** pointers = inline_pointers;
    if (count > kInline) {
      many.resize(count);
      pointers = many.data();
    }
    for (std::size_t i = 0; i < count; ++i) {
      JITNEY_CHECK(check_output(i, outputs[i], plan->output_shapes[i]));
      pointers[i] = outputs[i].data;
    }
    JITNEY_CHECK(prepare());
    JITNEY_CHECK(specialize(plan));
    return run(*plan, inputs, {pointers, count}, where);
  }

  /// The same with memory that is asked for once shapes are known. Throws, because `allocate` may.
  void execute(std::span<const TensorView> inputs, const OutputAllocator& allocate, const runtime::RunOptions& where) {
    const TraceSpan span("execute", engine.name());
    const auto& g = graph();
    const auto memory_for = [&](std::size_t i, const std::vector<std::int64_t>& shape) {
      const auto& v = g.value(g.outputs[i]);
      void* memory = allocate(i, v.dtype, shape);
      if (memory == nullptr && std::find(shape.begin(), shape.end(), 0) == shape.end())
        throw Error(ErrorKind::user, fmt::format("no memory was given for output '{}'", g.output_name(i)));
      return memory;
    };
    if (staged) {
      const auto cells = value_or_throw(run_staged(inputs));
      for (std::size_t i = 0; i < cells.size(); ++i)
        value_or_throw(staged->copy_out(cells[i], memory_for(i, cells[i].shape)));
      return;
    }
    auto plan = value_or_throw(plan_for(inputs));
    value_or_throw(prepare());
    value_or_throw(specialize(plan));
    constexpr std::size_t kInline = 32;
    void* inline_pointers[kInline];
    std::vector<void*> many;
    void** pointers = inline_pointers;
    if (g.outputs.size() > kInline) {
      many.resize(g.outputs.size());
      pointers = many.data();
    }
    for (std::size_t i = 0; i < g.outputs.size(); ++i) pointers[i] = memory_for(i, plan->output_shapes[i]);
    value_or_throw(run(*plan, inputs, {pointers, g.outputs.size()}, where));
  }

  /// What the caller's stream holds is done. Of an engine whose stages the host puts together.
  Status wait_for(backend::StreamHandle stream) {
    if (target.info.host_memory)
      return stream == 0 ? Status{} : user_error("a CPU has no stream {}: 0 is its only one", stream);
    JITNEY_TRY(const bool is_captured, target.backend->is_captured(target.device, stream));
    if (is_captured)
      return environment_error(
          "this model cannot be captured into a graph: its extents or control flow follow from data");
    return target.backend->synchronize(target.device, stream);
  }

  /// Why runs with such inputs on that stream cannot be captured; "" when they can.
  Expected<std::string> why_not_capturable(std::span<const TensorView> inputs, backend::StreamHandle stream) {
    if (staged) {
      JITNEY_CHECK(check_inputs(inputs));
      return target.info.host_memory ? "" : "its extents or control flow follow from data";
    }
    JITNEY_TRY(auto plan, plan_for(inputs));
    JITNEY_CHECK(prepare());
    if (target.info.host_memory) return "";
    JITNEY_TRY(std::string reason, shared->executor().why_not_capturable(*plan, shared->kernels().handles()));
    if (!reason.empty()) return reason;
    if (target.backend->is_default_stream(stream)) return "the legacy default stream cannot be captured";
    const bool is_dynamic = !program->graph.symbols.empty();
    if (is_dynamic && plan->forms.state() != runtime::FormSlot::State::ready &&
        plan->forms.state() != runtime::FormSlot::State::failed &&
        options.dynamic_shapes_kernel_specialization_strategy == DynamicShapesKernelSpecializationStrategy::lazy)
      return "the shape's own kernels are not ready, and the strategy is lazy";
    return "";
  }

  /// What is only there where there is a program.
  void add_stats(ContextStats& s) const {
    s.kernels = static_cast<int>(program->steps.size());
    s.distinct_kernels = static_cast<int>(program->sources.size());
    for (const auto& step : program->steps) {
      s.library_calls += step.is_call;
      s.interpreted += step.distinct < 0 && !step.is_call;
    }
    s.plans = shared->plans_made.load();
    s.arena_bytes = last_arena.load();
    if (!ready.load(std::memory_order_acquire)) return;
    const auto& c = shared->kernels().counts();
    s.compiled = c.compiled;
    s.from_cache = c.from_cache;
    s.precompiled = c.precompiled;
    for (const auto& [reason, count] : c.not_precompiled) s.precompiled_misses[std::string(to_string(reason))] = count;
    s.failed = c.failed;
    s.compile_seconds = c.seconds;
    for (const auto& step : program->steps)
      s.interpreted += step.distinct >= 0 && shared->kernels().handles()[static_cast<std::size_t>(step.distinct)] == 0;
    s.interpreted_operators = shared->executor().interpreted_operators();
    const auto graphs = shared->executor().graph_counts();
    s.graphs_captured = graphs.captured;
    s.graph_replays = graphs.replayed;
    s.graph_updates = graphs.updated;
    s.graph_fallbacks = graphs.fallbacks;
    s.graphs_lent = graphs.lent;
  }

  Engine engine;
  ContextOptions options;
  std::shared_ptr<runtime::SharedEngine> shared;
  const runtime::Target& target = shared->target;
  const std::shared_ptr<const runtime::Program>& program = shared->program;
  runtime::PlanTable& plans = shared->plans;
  /// Of an engine whose extents or control flow follow from data; then the program is only its kernels.
  runtime::StagedContext* const staged = shared->staged.get();
  std::mutex prepare_mutex;
  std::atomic<bool> ready{false};
  std::unique_ptr<runtime::StridedCopy> strided_copy;
  std::atomic<int> last_plan_steps{0};
  std::atomic<std::int64_t> last_arena{0};
};

}  // namespace jitney
