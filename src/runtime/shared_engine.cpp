// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "runtime/shared_engine.h"

#include <algorithm>

#include "cache/settings.h"
#include "ir/hosted.h"
#include "runtime/interrupt.h"
#include "runtime/target.h"
#include "util/env.h"
#include "util/log.h"
#include "util/trace.h"

namespace jitney::runtime {
namespace {

// Shapes whose plans are kept. A plan is a few kilobytes.
constexpr std::size_t kPlans = 512;
// Shapes that keep specialized kernels: some 20 KB a kernel.
constexpr std::int64_t kSpecializedShapes = 64;

std::size_t constant_bytes(const ir::Graph& graph) {
  std::size_t bytes = 0;
  for (const auto& value : graph.values)
    if (value.constant) bytes += value.constant->num_bytes();
  return bytes;
}

/// What cannot be read is not used, and warned about once.
EngineBrings brought_by(const EngineImpl& engine) {
  const EngineKernels& kernels = engine.kernels();
  if (kernels.pack.empty()) return {};
  if (!kernels.is_trusted) {
    log_info("engine '{}' brings compiled kernels, which are not used: it was loaded without trusting them",
             engine.graph().name);
    return {.kernels = nullptr, .why = cache::Miss::untrusted};
  }
  const auto signer = cache::signer_from_environment();
  auto read = signer ? cache::Precompiled::read(kernels.pack, signer->get()) : tl::unexpected(signer.error());
  if (read) return {.kernels = std::move(*read)};
  warn_once("precompiled:" + engine.graph().name, fmt::format("the kernels that engine '{}' brings are not used: {}",
                                                              engine.graph().name, read.error().message));
  return {.kernels = nullptr, .why = signer ? cache::Miss::format : cache::Miss::unauthenticated};
}

}  // namespace

bool may_compile() {
  const auto asked = env_string("JITNEY_NO_COMPILE");
  if (asked && *asked != "error")
    throw Error(ErrorKind::user, fmt::format("Invalid JITNEY_NO_COMPILE: '{}'. Expected 'error', or nothing", *asked));
  return !asked;
}

SharedEngine::SharedEngine() : plans(kPlans) {}

SharedEngine::~SharedEngine() {
  // Jobs hold the specializer, perhaps longer than this lives.
  if (specializer) specializer->cancel();
  staged.reset();  // its executors use the kernels
}

Expected<std::shared_ptr<SharedEngine>> SharedEngine::open(const Engine& engine, const ContextOptions& options) {
  trace_from_environment();
  std::shared_ptr<SharedEngine> made(new SharedEngine);
  JITNEY_TRY(made->target, open_target(options.device));
  const Target& target = made->target;
  if (ir::has_hosted(engine.impl()->graph())) {
    JITNEY_TRY(made->staged, StagedContext::open(*engine.impl(), target, options));
    made->program = made->staged->kernels();
  } else {
    JITNEY_TRY(made->program, make_program(*engine.impl(), *target.backend, target.device, target.info,
                                           options.precision == Precision::bf16));
  }
  // What stages pack stays.
  made->weights = std::make_shared<WeightBudget>(made->staged ? Program{} : *made->program, target);
  made->brings = brought_by(*engine.impl());
  made->stream_options_ = {.threads = options.threads, .keep_denormals = options.denormals == Denormals::keep};
  made->tactics_ = options.tactics ? *options.tactics : default_tactics();
  JITNEY_TRY(const auto most, env_int("JITNEY_SPECIALIZED_SHAPES", 0));
  made->specializer = std::make_shared<Specializer>(
      made->program, target, shared_compiler(target.info.language),
      Specializer::Options{.most_shapes = static_cast<std::size_t>(most.value_or(kSpecializedShapes)),
                           .may_compile = may_compile(),
                           .brings = made->brings});
  return made;
}

Status SharedEngine::want_profile(const Engine& engine, int profile) {
  const int count = std::max(1, static_cast<int>(engine.profiles().size()));
  if (profile != kAutoProfile && (profile < 0 || profile >= count))
    return user_error("engine '{}' has no optimization profile {}: it has {}, counted from 0", engine.name(), profile,
                      count);
  // Without profiles everything is profile 0.
  wanted_profile = engine.profiles().empty() ? kAutoProfile : profile;
  return {};
}

void SharedEngine::use_strategy(ResourceAllocationStrategy strategy) {
  const bool wanted = strategy == ResourceAllocationStrategy::dynamic_allocation;
  if (is_transient.exchange(wanted) || !wanted) return;
  // Who holds it is compiling: then nothing has memory yet.
  const std::unique_lock lock(mutex_, std::try_to_lock);
  if (!lock || !executor_) return;
  executor_->release_memory();
  if (staged) staged->release_memory();
}

Status SharedEngine::use_weight_budget(std::int64_t bytes) {
  if (bytes < 0) return user_error("a budget for weights must be 0 bytes or more, found {}", bytes);
  weights->set(bytes);
  // Who holds it is compiling: then nothing is packed yet.
  const std::unique_lock lock(mutex_, std::try_to_lock);
  if (lock && executor_) executor_->drop_weights(plans.all());
  return {};
}

CompileStatus SharedEngine::compile_status() const {
  CompileStatus status = specializer->status();
  status.compiled += own_kernels_->of(KernelOrigin::compiled);
  status.from_cache += own_kernels_->of(KernelOrigin::cached);
  status.precompiled += own_kernels_->of(KernelOrigin::precompiled);
  return status;
}

void SharedEngine::use_cache(const ContextOptions& options) {
  if (cache_ && cache_handle_ == options.cache && (options.cache || cache_setting_ == options.runtime_cache)) return;
  const auto before = cache_;
  cache_ = options.cache                     ? cache::use_handle(options.cache)
           : options.runtime_cache == "none" ? memory_
                                             : cache::open_cache(options.runtime_cache);
  cache_handle_ = options.cache;
  cache_setting_ = options.runtime_cache;
  specializer->use_cache(cache_);
  if (services_) services_->use_cache(cache_);
  if (!before || !kernels_ || before == cache_) return;
  auto keys = specializer->keys();
  for (auto& key : services_->keys()) keys.push_back(std::move(key));
  keys.insert(keys.end(), kernels_->keys().begin(), kernels_->keys().end());
  for (const auto& key : keys)
    if (const auto blob = before->lookup(key)) cache_->publish(key, **blob);
}

Status SharedEngine::prepare(const ContextOptions& options) {
  std::unique_lock lock(mutex_, std::defer_lock);
  // Another thread may be compiling; this one may be given up meanwhile.
  if (!options.interrupted) lock.lock();
  while (!lock.owns_lock() && !lock.try_lock_for(kInterruptPeriod))
    if (options.interrupted()) return interrupted_failure();
  use_cache(options);
  if (kernels_) return {};
  auto& compiler = shared_compiler(target.info.language);
  const int workers = compiler.workers_started();
  const bool compiles = may_compile();
  std::unique_ptr<KernelSet> kernels;
  const bool given_up = run_interruptibly(options.interrupted, [&](std::stop_token stop) {
    kernels = std::make_unique<KernelSet>(sources_of(program), target, *cache_, compiler,
                                          KernelSetOptions{.progress = options.progress,
                                                           .stop = std::move(stop),
                                                           .may_compile = compiles,
                                                           .brings = brings,
                                                           .required = compiles});
  });
  if (given_up) return interrupted_failure();
  workers_started = compiler.workers_started() - workers;
  if (!compiles && kernels->counts().failed > 0)
    return environment_error(
        "{} of {} kernels would have to be compiled, and JITNEY_NO_COMPILE=error forbids it: 'jitney warm' compiles "
        "them ahead",
        kernels->counts().failed, program->sources.size());
  services_ =
      std::make_shared<CachedPlanServices>(target, cache_, compiler,
                                           CachedPlanServices::Options{.may_compile = compiles,
                                                                       .times_tactics = tactics_ == Tactics::timed,
                                                                       .constant_bytes = constant_bytes(program->graph),
                                                                       .brings = brings,
                                                                       .counts = own_kernels_});
  auto executor = std::make_unique<Executor>(program, target, stream_options_, services_, staged ? nullptr : weights);
  JITNEY_CHECK(executor->prepare());
  if (staged) JITNEY_CHECK(staged->prepare(*kernels, services_));
  // They are destroyed before the specializer, which is then told to stop.
  specializer->use_calls(executor.get());
  executor->plan_at_once([&specializer = *specializer](const Plan& plan) { specializer.rehearse(plan); });
  kernels_ = std::move(kernels);
  executor_ = std::move(executor);
  return {};
}

}  // namespace jitney::runtime
