// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include <jitney/device_tensor.h>
#include <jitney/execution_context.h>

#include <algorithm>
#include <chrono>
#include <numeric>

#include "runtime/context_impl.h"
#include "runtime/inspect.h"
#include "runtime/layer_info.h"

namespace jitney {

namespace {

/// Of at least one; reorders them.
double median(std::vector<double>& values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

/// Contexts run graphs of tensors.
Engine of_tensors(Engine engine) {
  if (engine.is_structured())
    throw Error(ErrorKind::user, "engine '" + engine.name() +
                                     "' is of sequences or optionals: it has a context for each structure of its "
                                     "inputs, which Session::run() makes");
  return engine;
}

}  // namespace

ExecutionContext::ExecutionContext(Engine engine, ContextOptions options) : impl_(nullptr) {
  engine = of_tensors(std::move(engine));
  auto shared = value_or_throw(runtime::SharedEngine::open(engine, options));
  impl_ = std::make_unique<Impl>(std::move(engine), std::move(options), std::move(shared));
}
ExecutionContext::ExecutionContext(Engine engine, ContextOptions options, std::shared_ptr<runtime::SharedEngine> shared)
    : impl_(std::make_unique<Impl>(of_tensors(std::move(engine)), std::move(options), std::move(shared))) {}
ExecutionContext::~ExecutionContext() = default;
ExecutionContext::ExecutionContext(ExecutionContext&&) noexcept = default;
ExecutionContext& ExecutionContext::operator=(ExecutionContext&&) noexcept = default;

std::vector<Tensor> ExecutionContext::execute(std::span<const TensorView> inputs) {
  const TraceSpan span("execute", impl_->engine.name());
  if (impl_->staged) {
    if (!impl_->target.info.host_memory)
      throw Error(ErrorKind::user, "outputs must be given for device " + to_string(impl_->options.device));
    std::vector<Tensor> outputs;
    for (const auto& cell : value_or_throw(impl_->run_staged(inputs)))
      outputs.push_back(runtime::Cells::tensor_of(cell));
    return outputs;
  }
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
  const TraceSpan span("execute", impl_->engine.name());
  value_or_throw(impl_->execute(inputs, outputs, {}));
}

void ExecutionContext::execute(std::span<const TensorView> inputs, std::span<const TensorView> outputs,
                               StreamHandle stream) {
  const TraceSpan span("execute", impl_->engine.name());
  if (impl_->staged) value_or_throw(impl_->wait_for(stream));
  value_or_throw(impl_->execute(inputs, outputs, {.stream = stream, .is_callers_stream = true}));
}

void ExecutionContext::synchronize(StreamHandle stream) {
  value_or_throw(impl_->prepare());
  value_or_throw(impl_->shared->executor().synchronize(stream));
}

bool ExecutionContext::is_monolithic_capturable(std::span<const TensorView> inputs, StreamHandle stream,
                                                std::string* why) {
  const std::string reason = value_or_throw(impl_->why_not_capturable(inputs, stream));
  if (why != nullptr) *why = reason;
  return reason.empty();
}

void ExecutionContext::execute(std::span<const TensorView> inputs, const OutputAllocator& allocate) {
  impl_->execute(inputs, allocate, {});
}

void ExecutionContext::execute(std::span<const TensorView> inputs, const OutputAllocator& allocate,
                               StreamHandle stream) {
  if (impl_->staged) value_or_throw(impl_->wait_for(stream));
  impl_->execute(inputs, allocate, {.stream = stream, .is_callers_stream = true});
}

Profile ExecutionContext::profile(std::span<const TensorView> inputs, int iterations) {
  if (impl_->staged) {
    std::vector<double> whole;
    for (int i = 0; i < std::max(iterations, 1); ++i) {
      const auto begin = std::chrono::steady_clock::now();
      value_or_throw(impl_->run_staged(inputs));
      whole.push_back(std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count());
    }
    const double seconds = median(whole);
    return {{}, seconds, seconds};
  }
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
    value_or_throw(impl_->run(*found, inputs, pointers, {.seconds = &seconds}));
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
  if (impl_->staged) {
    value_or_throw(impl_->check_inputs(inputs));
    return value_or_throw(impl_->staged->output_shapes(inputs));
  }
  return value_or_throw(impl_->plan_for(inputs))->output_shapes;
}

void ExecutionContext::prepare() { value_or_throw(impl_->prepare()); }

void ExecutionContext::warm(std::span<const std::vector<std::vector<std::int64_t>>> shapes) {
  value_or_throw(impl_->prepare());
  if (impl_->staged) return;  // its plans follow from data
  for (const auto& each : shapes) {
    auto plan = value_or_throw(impl_->plan_of(each));
    // Without symbols the kernels that there are already are the shape's own.
    if (!impl_->program->graph.symbols.empty())
      value_or_throw(impl_->shared->specializer->make_now(plan, impl_->options.progress, impl_->options.interrupted));
    // A device's libraries choose algorithms, and its backend brings kernels of its own, which the cache keeps.
    if (!impl_->target.info.host_memory) value_or_throw(impl_->shared->executor().plan_calls(*plan));
  }
}

bool ExecutionContext::wait_until_specialized(double timeout_seconds) {
  if (impl_->options.dynamic_shapes_kernel_specialization_strategy == DynamicShapesKernelSpecializationStrategy::none ||
      !impl_->ready.load(std::memory_order_acquire))
    return true;
  for (const auto& plan : impl_->plans.used()) impl_->shared->specializer->request(plan);
  // Longer than a clock can count is for ever.
  constexpr double kLongest = 1e9;
  const auto timeout = std::chrono::duration_cast<std::chrono::nanoseconds>(
      std::chrono::duration<double>(std::clamp(timeout_seconds, 0.0, kLongest)));
  auto& specializer = *impl_->shared->specializer;
  const auto& interrupted = impl_->options.interrupted;
  if (!interrupted) return specializer.wait(timeout);
  const auto end = std::chrono::steady_clock::now() + timeout;
  for (;;) {
    const auto left = std::max(end - std::chrono::steady_clock::now(), std::chrono::nanoseconds(0));
    if (specializer.wait(std::min<std::chrono::nanoseconds>(left, runtime::kInterruptPeriod))) return true;
    if (left <= runtime::kInterruptPeriod) return false;
    if (interrupted()) value_or_throw(Status(runtime::interrupted_failure()));
  }
}

void ExecutionContext::set_optimization_profile(int profile) {
  value_or_throw(impl_->shared->want_profile(impl_->engine, profile));
}

int ExecutionContext::optimization_profile() const { return impl_->shared->active_profile.load(); }

CompileStatus ExecutionContext::compile_status() const { return impl_->shared->compile_status(); }

void ExecutionContext::cancel_specialization() { impl_->shared->specializer->cancel(); }

const Engine& ExecutionContext::engine() const { return impl_->engine; }

const ContextOptions& ExecutionContext::options() const { return impl_->options; }

std::string ExecutionContext::inspect(bool source) const {
  const std::string profiles = engine::describe_profiles(impl_->engine.impl()->graph(), impl_->profiles());
  if (impl_->staged) return profiles + impl_->staged->inspect(impl_->target.info, source);
  return profiles + runtime::inspect(*impl_->program, impl_->target.info, source);
}

std::string ExecutionContext::layer_info(const std::vector<std::vector<std::int64_t>>& input_shapes) const {
  const auto& i = *impl_;
  const bool ready = i.ready.load(std::memory_order_acquire);
  runtime::LayerFacts facts{.kernels = ready ? &i.shared->kernels() : nullptr};
  std::shared_ptr<const runtime::Plan> plan;
  if (!input_shapes.empty()) {
    std::vector<TensorView> views;
    for (const auto& shape : input_shapes) views.push_back({.shape = shape});
    plan = i.plans.find(views);
    if (!plan) plan = value_or_throw(runtime::make_plan(*i.program, input_shapes, i.target.info.alignment));
    facts.plan = plan.get();
    if (ready) facts.library = [&](std::size_t step) { return i.shared->executor().call_of(*plan, step).first; };
  }
  return runtime::layer_info(*i.program, i.target, facts);
}

ContextStats ExecutionContext::stats() const {
  ContextStats s;
  const auto& i = *impl_;
  s.device_bytes = i.target.backend->live_bytes();
  if (i.staged)
    i.staged->add_stats(s);
  else
    i.add_stats(s);
  if (!i.ready.load(std::memory_order_acquire)) return s;
  s.workers_started = i.shared->workers_started;
  const auto cache = i.shared->cache();
  auto cs = cache->stats();
  s.cache_hits = cs.hits;
  s.cache_published = cs.published;
  s.cache_publish_failures = cs.publish_failures;
  s.cache_loaded = cs.loaded;
  s.cache_damaged = cs.damaged;
  s.cache_evicted = cs.evicted;
  s.cache_waited = cs.waited;
  for (auto [why, n] : cs.misses) s.cache_misses[std::string(cache::to_string(why))] = n;
  s.cache_path = cache->path();
  s.cache_description = cache->describe();
  return s;
}

}  // namespace jitney
