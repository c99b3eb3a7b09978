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
#include "runtime/interrupt.h"
#include "runtime/kernel_set.h"
#include "runtime/plan_table.h"
#include "runtime/strided.h"
#include "runtime/target.h"

namespace jitney {

namespace {

// Shapes whose plans are kept. A plan is a few kilobytes.
constexpr std::size_t kPlans = 512;

/// Of at least one; reorders them.
double median(std::vector<double>& values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

}  // namespace

class ExecutionContext::Impl {
 public:
  Impl(Engine e, ContextOptions o) : engine(std::move(e)), options(std::move(o)), plans(kPlans) {}

  Status open() {
    JITNEY_TRY(target, runtime::open_target(options.device));
    JITNEY_TRY(program, runtime::make_program(*engine.impl(), *target.backend, target.device, target.info,
                                              options.precision == Precision::bf16));
    return {};
  }

  /// Another thread may be compiling; this one may be given up meanwhile.
  Status wait_for(std::unique_lock<std::timed_mutex>& lock) {
    if (!options.interrupted) {
      lock.lock();
      return {};
    }
    while (!lock.try_lock_for(runtime::kInterruptPeriod))
      if (options.interrupted()) return runtime::Interrupt::failure();
    return {};
  }

  /// The one wait: kernels that are missing are compiled here, once.
  Status prepare() {
    if (ready.load(std::memory_order_acquire)) return {};
    std::unique_lock lock(prepare_mutex, std::defer_lock);
    JITNEY_CHECK(wait_for(lock));
    if (ready.load(std::memory_order_relaxed)) return {};
    if (!cache) cache = cache::open_cache(options.runtime_cache);
    auto& compiler = runtime::shared_compiler(target.info.language);
    int workers = compiler.workers_started();
    kernels =
        std::make_unique<runtime::KernelSet>(program, target, cache, compiler, options.progress, options.interrupted);
    if (kernels->was_interrupted()) return runtime::Interrupt::failure();
    workers_started = compiler.workers_started() - workers;
    auto e = std::make_unique<runtime::Executor>(
        program, target,
        backend::StreamOptions{.threads = options.threads, .keep_denormals = options.denormals == Denormals::keep},
        options.cuda_graph_strategy == CudaGraphStrategy::whole_graph_capture &&
            options.device.type != Device::Type::cpu);
    JITNEY_CHECK(e->prepare());
    e->set_interrupted(options.interrupted);
    executor = std::move(e);
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
    JITNEY_TRY(auto plan, runtime::make_plan(*program, std::move(shapes), target.info.alignment));
    plans_made.fetch_add(1, std::memory_order_relaxed);
    return plans.add(std::move(plan));
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
    return executor->run(plan, kernels->handles(), {pointers, inputs.size()}, outputs, seconds);
  }

  Engine engine;
  ContextOptions options;
  runtime::Target target;
  std::shared_ptr<const runtime::Program> program;
  std::shared_ptr<cache::RuntimeCache> cache;
  std::timed_mutex prepare_mutex;
  std::atomic<bool> ready{false};
  std::unique_ptr<runtime::KernelSet> kernels;
  std::unique_ptr<runtime::Executor> executor;  // after kernels: destroyed first
  runtime::PlanTable plans;
  int workers_started = 0;
  std::atomic<int> plans_made{0}, last_plan_steps{0};
  std::atomic<std::int64_t> last_arena{0};
};

ExecutionContext::ExecutionContext(Engine engine, ContextOptions options)
    : impl_(std::make_unique<Impl>(std::move(engine), std::move(options))) {
  value_or_throw(impl_->open());
}
ExecutionContext::~ExecutionContext() = default;
ExecutionContext::ExecutionContext(ExecutionContext&&) noexcept = default;
ExecutionContext& ExecutionContext::operator=(ExecutionContext&&) noexcept = default;

std::vector<Tensor> ExecutionContext::execute(std::span<const TensorView> inputs) {
  auto plan = value_or_throw(impl_->plan_for(inputs));
  value_or_throw(impl_->prepare());
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
    auto [library, operations] = impl_->executor->call_of(*plan, s);
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

const Engine& ExecutionContext::engine() const { return impl_->engine; }

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
  s.plans = i.plans_made.load();
  s.arena_bytes = i.last_arena.load();
  s.device_bytes = i.target.backend->live_bytes();
  if (!i.ready.load(std::memory_order_acquire)) return s;
  const auto& c = i.kernels->counts();
  s.compiled = c.compiled;
  s.from_cache = c.from_cache;
  s.failed = c.failed;
  s.compile_seconds = c.seconds;
  for (const auto& step : i.program->steps)
    s.interpreted += step.distinct >= 0 && i.kernels->handles()[static_cast<std::size_t>(step.distinct)] == 0;
  s.interpreted_operators = i.executor->interpreted_operators();
  const auto graphs = i.executor->graph_counts();
  s.graphs_captured = graphs.captured;
  s.graph_replays = graphs.replayed;
  s.graph_fallbacks = graphs.fallbacks;
  s.workers_started = i.workers_started;
  auto cs = i.cache->stats();
  s.cache_hits = cs.hits;
  s.cache_published = cs.published;
  for (auto [why, n] : cs.misses) s.cache_misses[std::string(cache::to_string(why))] = n;
  s.cache_path = i.cache->path();
  s.cache_description = i.cache->describe();
  return s;
}

}  // namespace jitney
