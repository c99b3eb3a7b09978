// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include <jitney/device_tensor.h>
#include <jitney/execution_context.h>

#include <fmt/ranges.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <mutex>
#include <numeric>

#include "runtime/executor.h"
#include "runtime/inspect.h"
#include "runtime/kernel_set.h"
#include "runtime/shared_engine.h"
#include "runtime/strided.h"

namespace jitney {

namespace {

/// Of at least one; reorders them.
double median(std::vector<double>& values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

}  // namespace

class ExecutionContext::Impl {
 public:
  Impl(Engine e, ContextOptions o, std::shared_ptr<runtime::SharedEngine> s)
      : engine(std::move(e)), options(std::move(o)), shared(std::move(s)) {}

  /// The one wait: kernels that are missing are compiled here, once.
  Status prepare() {
    if (ready.load(std::memory_order_acquire)) return {};
    JITNEY_CHECK(shared->prepare(options));
    ready.store(true, std::memory_order_release);
    return {};
  }

  Status check_inputs(std::span<const TensorView> inputs) const {
    const auto& g = program->graph;
    if (inputs.size() != g.inputs.size())
      return user_error("expected {} inputs, found {}", g.inputs.size(), inputs.size());
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      const auto& v = g.value(g.inputs[i]);
      if (inputs[i].dtype != v.dtype)
        return user_error("input '{}' must be {}, found {}", v.name, to_string(v.dtype), to_string(inputs[i].dtype));
      if (inputs[i].shape.size() != v.shape.size())
        return user_error("input '{}' must have {} dimensions, found {}", v.name, v.shape.size(),
                          inputs[i].shape.size());
      if (!inputs[i].strides.empty() && inputs[i].strides.size() != inputs[i].shape.size())
        return user_error("input '{}' has {} strides for {} dimensions", v.name, inputs[i].strides.size(),
                          inputs[i].shape.size());
      if (!(inputs[i].device.type == options.device.type && inputs[i].device.index == options.device.index) &&
          !target.info.host_memory)
        return user_error("input '{}' must be on {}, found {}", v.name, to_string(options.device),
                          to_string(inputs[i].device));
      if (target.info.host_memory && inputs[i].device.type == Device::Type::cuda)
        return user_error("input '{}' must be on {}, found {}", v.name, to_string(options.device),
                          to_string(inputs[i].device));
      std::int64_t count = 1;
      for (auto e : inputs[i].shape) {
        if (e < 0) return user_error("input '{}' has a negative extent {}", v.name, e);
        if (__builtin_mul_overflow(count, e, &count))
          return user_error("input '{}' has more elements than can be counted", v.name);
      }
      if (inputs[i].data == nullptr && count != 0) return user_error("input '{}' has no data", v.name);
    }
    return {};
  }

  Expected<std::shared_ptr<const runtime::Plan>> plan_for(std::span<const TensorView> inputs) {
    JITNEY_CHECK(check_inputs(inputs));
    if (auto plan = plans.find(inputs)) return plan;
    std::vector<std::vector<std::int64_t>> shapes;
    for (const auto& in : inputs) shapes.emplace_back(in.shape.begin(), in.shape.end());
    return add_plan(std::move(shapes));
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
                   : shared->specializer->make_now(plan, options.progress);
      case lazy:
        // A shape that never comes again is not worth a compile.
        if (plan->uses.fetch_add(1, std::memory_order_relaxed) >= 1 &&
            plan->forms.state() == runtime::FormSlot::State::none)
          shared->specializer->request(plan);
    }
    return {};
  }

  Status run(const runtime::Plan& plan, std::span<const TensorView> inputs, std::span<void* const> outputs,
             std::vector<double>* seconds = nullptr) {
    // A few pointers on the stack; more inputs than that are rare enough to allocate for.
    constexpr std::size_t kInline = 32;
    void* inline_pointers[kInline];
    std::vector<void*> many;
    void** pointers = inline_pointers;
    if (inputs.size() > kInline) {
      many.resize(inputs.size());
      pointers = many.data();
    }
    std::vector<Tensor> staged;
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      pointers[i] = inputs[i].data;
      bool aligned = reinterpret_cast<std::uintptr_t>(inputs[i].data) % size_of(inputs[i].dtype) == 0;
      if (runtime::is_contiguous(inputs[i]) && aligned) continue;
      if (!target.info.host_memory)
        return user_error("input {} must be contiguous on {}", i, to_string(options.device));
      Tensor t(inputs[i].dtype, std::vector<std::int64_t>(inputs[i].shape.begin(), inputs[i].shape.end()));
      auto strides = inputs[i].strides;
      std::vector<std::int64_t> row_major;
      if (strides.empty()) {
        row_major.assign(inputs[i].shape.size(), 1);
        for (std::size_t d = row_major.size(); d-- > 1;) row_major[d - 1] = row_major[d] * inputs[i].shape[d];
        strides = row_major;
      }
      runtime::copy_strided(t.dtype(), inputs[i].shape, inputs[i].data, strides, t.data());
      staged.push_back(std::move(t));
      pointers[i] = staged.back().data();
    }
    last_plan_steps.store(static_cast<int>(plan.steps.size()), std::memory_order_relaxed);
    last_arena.store(static_cast<std::int64_t>(plan.arena_bytes), std::memory_order_relaxed);
    const runtime::RunOptions how{.captures = options.cuda_graph_strategy == CudaGraphStrategy::whole_graph_capture &&
                                              options.device.type != Device::Type::cpu,
                                  .specialized = options.dynamic_shapes_kernel_specialization_strategy !=
                                                 DynamicShapesKernelSpecializationStrategy::none,
                                  .interrupted = &options.interrupted};
    return shared->executor().run(plan, shared->kernels().handles(), {pointers, inputs.size()}, outputs, how, seconds);
  }

  Engine engine;
  ContextOptions options;
  std::shared_ptr<runtime::SharedEngine> shared;
  const runtime::Target& target = shared->target;
  const std::shared_ptr<const runtime::Program>& program = shared->program;
  runtime::PlanTable& plans = shared->plans;
  std::atomic<bool> ready{false};
  std::atomic<int> last_plan_steps{0};
  std::atomic<std::int64_t> last_arena{0};
};

ExecutionContext::ExecutionContext(Engine engine, ContextOptions options) : impl_(nullptr) {
  auto shared = value_or_throw(runtime::SharedEngine::open(engine, options));
  impl_ = std::make_unique<Impl>(std::move(engine), std::move(options), std::move(shared));
}
ExecutionContext::ExecutionContext(Engine engine, ContextOptions options, std::shared_ptr<runtime::SharedEngine> shared)
    : impl_(std::make_unique<Impl>(std::move(engine), std::move(options), std::move(shared))) {}
ExecutionContext::~ExecutionContext() = default;
ExecutionContext::ExecutionContext(ExecutionContext&&) noexcept = default;
ExecutionContext& ExecutionContext::operator=(ExecutionContext&&) noexcept = default;

std::vector<Tensor> ExecutionContext::execute(std::span<const TensorView> inputs) {
  auto plan = value_or_throw(impl_->plan_for(inputs));
  value_or_throw(impl_->prepare());
  value_or_throw(impl_->specialize(plan));
  if (!impl_->target.info.host_memory)
    throw Error(ErrorKind::user, "outputs must be given for device " + to_string(impl_->options.device));
  const auto& g = impl_->program->graph;
  std::vector<Tensor> outputs;
  std::vector<void*> pointers;
  for (std::size_t i = 0; i < g.outputs.size(); ++i) {
    outputs.emplace_back(g.value(g.outputs[i]).dtype, plan->output_shapes[i]);
    pointers.push_back(outputs.back().data());
  }
  value_or_throw(impl_->run(*plan, inputs, pointers));
  return outputs;
}

void ExecutionContext::execute(std::span<const TensorView> inputs, std::span<const TensorView> outputs) {
  auto plan = value_or_throw(impl_->plan_for(inputs));
  const auto& g = impl_->program->graph;
  constexpr std::size_t kInline = 32;
  void* pointers[kInline];
  std::vector<void*> many;
  if (outputs.size() != g.outputs.size())
    throw Error(ErrorKind::user, fmt::format("expected {} outputs, found {}", g.outputs.size(), outputs.size()));
  void** p = pointers;
  if (outputs.size() > kInline) {
    many.resize(outputs.size());
    p = many.data();
  }
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    const auto& v = g.value(g.outputs[i]);
    const auto& o = outputs[i];
    const auto& want = plan->output_shapes[i];
    if (o.dtype != v.dtype)
      throw Error(ErrorKind::user,
                  fmt::format("output '{}' must be {}, found {}", v.name, to_string(v.dtype), to_string(o.dtype)));
    if (!std::equal(want.begin(), want.end(), o.shape.begin(), o.shape.end()))
      throw Error(ErrorKind::user, fmt::format("output '{}' must have the shape [{}], found [{}]", v.name,
                                               fmt::join(want, ", "), fmt::join(o.shape, ", ")));
    if (!runtime::is_contiguous(o)) throw Error(ErrorKind::user, fmt::format("output '{}' must be contiguous", v.name));
    p[i] = o.data;
  }
  value_or_throw(impl_->prepare());
  value_or_throw(impl_->specialize(plan));
  value_or_throw(impl_->run(*plan, inputs, {p, outputs.size()}));
}

Profile ExecutionContext::profile(std::span<const TensorView> inputs, int iterations) {
  auto plan = value_or_throw(impl_->plan_for(inputs));
  value_or_throw(impl_->prepare());
  const auto& g = impl_->program->graph;
  std::vector<DeviceTensor> outputs;
  std::vector<void*> pointers;
  for (std::size_t i = 0; i < g.outputs.size(); ++i) {
    outputs.emplace_back(g.value(g.outputs[i]).dtype, plan->output_shapes[i], impl_->options.device);
    pointers.push_back(outputs.back().view().data);
  }
  const std::size_t steps = plan->steps.size();
  std::vector<std::vector<double>> times(steps);
  std::vector<double> whole, outside, seconds(steps);
  for (int i = 0; i < std::max(iterations, 1); ++i) {
    const auto begin = std::chrono::steady_clock::now();
    // What execute() does, with a clock.
    const auto found = value_or_throw(impl_->plan_for(inputs));
    value_or_throw(impl_->run(*found, inputs, pointers, &seconds));
    whole.push_back(std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count());
    outside.push_back(whole.back() - std::accumulate(seconds.begin(), seconds.end(), 0.0));
    for (std::size_t s = 0; s < steps; ++s) times[s].push_back(seconds[s]);
  }
  Profile result{{}, median(whole), median(outside)};
  for (std::size_t s = 0; s < steps; ++s) {
    const auto& step = impl_->program->steps[static_cast<std::size_t>(plan->steps[s].step)];
    auto [library, operations] = impl_->shared->executor().call_of(*plan, s);
    std::string by = !library.empty()     ? library
                     : step.distinct >= 0 ? fmt::format("kernel {}", step.distinct)
                                          : "interpreter";
    result.steps.push_back({step.node->name, std::move(by), median(times[s]), operations});
  }
  return result;
}

std::vector<std::vector<std::int64_t>> ExecutionContext::output_shapes(std::span<const TensorView> inputs) const {
  return value_or_throw(impl_->plan_for(inputs))->output_shapes;
}

void ExecutionContext::prepare() { value_or_throw(impl_->prepare()); }

void ExecutionContext::warm(std::span<const std::vector<std::vector<std::int64_t>>> shapes) {
  value_or_throw(impl_->prepare());
  for (const auto& each : shapes) {
    auto plan = value_or_throw(impl_->plan_of(each));
    value_or_throw(impl_->shared->specializer->make_now(plan, impl_->options.progress));
  }
}

bool ExecutionContext::wait_until_specialized(double timeout_seconds) {
  if (impl_->options.dynamic_shapes_kernel_specialization_strategy == DynamicShapesKernelSpecializationStrategy::none ||
      !impl_->ready.load(std::memory_order_acquire))
    return true;
  for (const auto& plan : impl_->plans.used()) impl_->shared->specializer->request(plan);
  // Longer than a clock can count is for ever.
  constexpr double kLongest = 1e9;
  return impl_->shared->specializer->wait(std::chrono::duration_cast<std::chrono::nanoseconds>(
      std::chrono::duration<double>(std::clamp(timeout_seconds, 0.0, kLongest))));
}

CompileStatus ExecutionContext::compile_status() const { return impl_->shared->specializer->status(); }

void ExecutionContext::cancel_specialization() { impl_->shared->specializer->cancel(); }

const Engine& ExecutionContext::engine() const { return impl_->engine; }

const ContextOptions& ExecutionContext::options() const { return impl_->options; }

std::string ExecutionContext::inspect(bool source) const {
  return runtime::inspect(*impl_->program, impl_->target.info, source);
}

ContextStats ExecutionContext::stats() const {
  ContextStats s;
  const auto& i = *impl_;
  s.kernels = static_cast<int>(i.program->steps.size());
  s.distinct_kernels = static_cast<int>(i.program->sources.size());
  for (const auto& step : i.program->steps) {
    s.library_calls += step.is_call;
    s.interpreted += step.distinct < 0 && !step.is_call;
  }
  s.plans = i.shared->plans_made.load();
  s.arena_bytes = i.last_arena.load();
  s.device_bytes = i.target.backend->live_bytes();
  if (!i.ready.load(std::memory_order_acquire)) return s;
  const auto& c = i.shared->kernels().counts();
  s.compiled = c.compiled;
  s.from_cache = c.from_cache;
  s.failed = c.failed;
  s.compile_seconds = c.seconds;
  for (const auto& step : i.program->steps)
    s.interpreted += step.distinct >= 0 && i.shared->kernels().handles()[static_cast<std::size_t>(step.distinct)] == 0;
  s.interpreted_operators = i.shared->executor().interpreted_operators();
  const auto graphs = i.shared->executor().graph_counts();
  s.graphs_captured = graphs.captured;
  s.graph_replays = graphs.replayed;
  s.graph_fallbacks = graphs.fallbacks;
  s.workers_started = i.shared->workers_started;
  const auto cache = i.shared->cache();
  auto cs = cache->stats();
  s.cache_hits = cs.hits;
  s.cache_published = cs.published;
  for (auto [why, n] : cs.misses) s.cache_misses[std::string(cache::to_string(why))] = n;
  s.cache_path = cache->path();
  s.cache_description = cache->describe();
  return s;
}

}  // namespace jitney
