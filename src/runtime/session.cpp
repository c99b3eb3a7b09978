// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include <jitney/session.h>

#include <algorithm>
#include <mutex>

#include "runtime/shared_engine.h"

namespace jitney {

RuntimeSettings RuntimeSettingsOverrides::over(RuntimeSettings s) const {
  if (dynamic_shapes_kernel_specialization_strategy)
    s.dynamic_shapes_kernel_specialization_strategy = *dynamic_shapes_kernel_specialization_strategy;
  if (cuda_graph_strategy) s.cuda_graph_strategy = *cuda_graph_strategy;
  if (runtime_cache) s.runtime_cache = *runtime_cache;
  return s;
}

class Session::Impl {
 public:
  Impl(Engine e, SessionOptions o, RuntimeSettings s)
      : engine(std::move(e)),
        options(std::move(o)),
        shared(value_or_throw(runtime::SharedEngine::open(engine, context_options(s)))),
        base(std::move(s)) {}

  ContextOptions context_options(const RuntimeSettings& s) const {
    ContextOptions c;
    c.device = options.device;
    c.threads = options.threads;
    c.precision = options.precision;
    c.denormals = options.denormals;
    c.progress = options.progress;
    c.interrupted = options.interrupted;
    c.runtime_cache = "none";
    c.cuda_graph_strategy = s.cuda_graph_strategy;
    c.dynamic_shapes_kernel_specialization_strategy = s.dynamic_shapes_kernel_specialization_strategy;
    return c;
  }

  /// A path makes a handle that this session owns; the same path again is the same handle. Another one saves it first.
  std::shared_ptr<RuntimeCache> cache_of(const RuntimeCacheSetting& setting) {
    if (owned && (setting.handle() || setting.path() != owned->path())) {
      owned->autosave();
      owned = nullptr;
    }
    if (setting.handle() || setting.is_memory()) return setting.handle();
    if (!owned) owned = RuntimeCache::owned(setting.path());
    return owned;
  }

  RuntimeSettings effective() const {
    RuntimeSettings s = base;
    for (const auto& [id, overrides] : overlays) s = overrides.over(std::move(s));
    return s;
  }

  std::shared_ptr<ExecutionContext> current() {
    const std::lock_guard lock(mutex);
    if (is_current) return context;
    const RuntimeSettings now = effective();
    if (!context || !(now == context_settings)) {
      ContextOptions o = context_options(now);
      o.cache = cache_of(now.runtime_cache);
      context = std::make_shared<ExecutionContext>(engine, std::move(o), shared);
      context_settings = now;
      ++created;
    }
    is_current = true;
    return context;
  }

  const Engine engine;
  const SessionOptions options;
  const std::shared_ptr<runtime::SharedEngine> shared;

  mutable std::mutex mutex;  // guards what follows; never held while something compiles or runs
  RuntimeSettings base;
  std::vector<std::pair<std::uint64_t, RuntimeSettingsOverrides>> overlays;
  std::uint64_t next_overlay = 1;
  std::shared_ptr<ExecutionContext> context;
  RuntimeSettings context_settings;
  std::shared_ptr<RuntimeCache> owned;  // of a path in the settings
  bool is_current = false;              // the context has the settings in force
  int created = 0;
};

Session::Session(Engine engine, SessionOptions options, RuntimeSettings settings)
    : impl_(std::make_unique<Impl>(std::move(engine), std::move(options), std::move(settings))) {}
Session::~Session() = default;

std::vector<Tensor> Session::execute(std::span<const TensorView> inputs) { return impl_->current()->execute(inputs); }

void Session::execute(std::span<const TensorView> inputs, std::span<const TensorView> outputs) {
  impl_->current()->execute(inputs, outputs);
}

std::vector<std::vector<std::int64_t>> Session::output_shapes(std::span<const TensorView> inputs) const {
  // Of a context that is not kept: asking makes none.
  return ExecutionContext(impl_->engine, impl_->context_options(runtime_settings()), impl_->shared)
      .output_shapes(inputs);
}

RuntimeSettings Session::runtime_settings() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->effective();
}

bool Session::update_runtime_settings(const RuntimeSettings& settings) {
  const std::lock_guard lock(impl_->mutex);
  if (impl_->base == settings) return false;
  impl_->base = settings;
  impl_->is_current = false;
  return true;
}

std::uint64_t Session::add_overrides(RuntimeSettingsOverrides overrides) {
  const std::lock_guard lock(impl_->mutex);
  impl_->overlays.emplace_back(impl_->next_overlay, std::move(overrides));
  impl_->is_current = false;
  return impl_->next_overlay++;
}

void Session::remove_overrides(std::uint64_t id) {
  const std::lock_guard lock(impl_->mutex);
  std::erase_if(impl_->overlays, [&](const auto& overlay) { return overlay.first == id; });
  impl_->is_current = false;
}

bool Session::has_context() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->context != nullptr;
}

void Session::invalidate_context() {
  const std::lock_guard lock(impl_->mutex);
  impl_->context = nullptr;
  impl_->is_current = false;
}

int Session::num_execution_contexts_created() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->created;
}

std::shared_ptr<ExecutionContext> Session::context() { return impl_->current(); }

void Session::warm(std::span<const std::vector<std::vector<std::int64_t>>> shapes) { impl_->current()->warm(shapes); }

bool Session::wait_until_specialized(double timeout_seconds) {
  std::shared_ptr<ExecutionContext> context;
  {
    const std::lock_guard lock(impl_->mutex);
    context = impl_->context;
  }
  return !context || context->wait_until_specialized(timeout_seconds);
}

CompileStatus Session::compile_status() const { return impl_->shared->specializer->status(); }

void Session::cancel_specialization() { impl_->shared->specializer->cancel(); }

void Session::on_compile_status(std::function<void(const CompileStatus&)> callback) {
  impl_->shared->specializer->on_change(std::move(callback));
}

const Engine& Session::engine() const { return impl_->engine; }

const SessionOptions& Session::options() const { return impl_->options; }

ContextStats Session::stats() const {
  std::shared_ptr<ExecutionContext> context;
  {
    const std::lock_guard lock(impl_->mutex);
    context = impl_->context;
  }
  return context ? context->stats() : ContextStats{};
}

}  // namespace jitney
