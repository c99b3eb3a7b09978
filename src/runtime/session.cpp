// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include <jitney/session.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <mutex>

#include <jitney/cudagraphs_mode.h>
#include <jitney/registry.h>

#include "cache/handle.h"
#include "runtime/shared_engine.h"
#include "runtime/structured_sessions.h"
#include "util/log.h"
#include "util/memory.h"
#include "util/stacked.h"

namespace jitney {

RuntimeSettings RuntimeSettingsOverrides::over(RuntimeSettings s) const {
  if (dynamic_shapes_kernel_specialization_strategy)
    s.dynamic_shapes_kernel_specialization_strategy = *dynamic_shapes_kernel_specialization_strategy;
  if (cuda_graph_strategy) s.cuda_graph_strategy = *cuda_graph_strategy;
  if (runtime_cache) s.runtime_cache = *runtime_cache;
  return s;
}

namespace {

/// What was asked for: the session's own settings, and those of the scopes that live.
struct Wanted {
  RuntimeSettings base;
  std::vector<std::pair<std::uint64_t, RuntimeSettingsOverrides>> overlays;

  RuntimeSettings effective() const {
    RuntimeSettings s = base;
    for (const auto& [id, overrides] : overlays) s = overrides.over(std::move(s));
    return s;
  }
  bool names(const std::string& path) const {
    return base.runtime_cache.path() == path || std::ranges::any_of(overlays, [&](const auto& overlay) {
             return overlay.second.runtime_cache && overlay.second.runtime_cache->path() == path;
           });
  }
};

/// Once a process: a device without graphs was asked for them.
bool is_first_without_graphs() {
  static std::atomic<bool> warned{false};
  return !warned.exchange(true);
}

}  // namespace

class Session::Impl {
 public:
  Impl(Engine e, SessionOptions o, RuntimeSettings s)
      : engine(std::move(e)),
        options(std::move(o)),
        shared(value_or_throw(runtime::SharedEngine::open(engine, context_options(s)))),
        wanted{.base = std::move(s), .overlays = {}} {
    load_now(wanted.base.runtime_cache.path());
  }

  ContextOptions context_options(const RuntimeSettings& s) const {
    ContextOptions c;
    c.device = options.device;
    c.threads = options.threads;
    c.precision = options.precision;
    c.denormals = options.denormals;
    c.tactics = options.tactics;
    c.progress = options.progress;
    c.interrupted = options.interrupted;
    c.runtime_cache = "none";
    c.cuda_graph_strategy = s.cuda_graph_strategy;
    c.dynamic_shapes_kernel_specialization_strategy = s.dynamic_shapes_kernel_specialization_strategy;
    return c;
  }

  /// A packed file is loaded when it is named; a store is read as needed.
  void load_now(const std::string& path) {
    if (cache::form_of(path) != cache::Form::packed) return;
    {
      const std::lock_guard lock(mutex);
      if (owned.contains(path)) return;
    }
    auto loaded = RuntimeCache::owned(path);  // may wait for somebody's lock
    const std::lock_guard lock(mutex);
    owned.try_emplace(path, std::move(loaded));
  }

  /// The handle of a setting; one that this session owns is made where it is missing. Under the mutex.
  std::shared_ptr<RuntimeCache> cache_of(const RuntimeCacheSetting& setting) {
    if (setting.handle() || setting.is_memory()) return setting.handle();
    auto& handle = owned[setting.path()];
    if (!handle) handle = RuntimeCache::owned(setting.path());
    return handle;
  }

  /// `change` gives whether it changed what it was given. Runs go on meanwhile, with the settings before.
  bool apply(const std::function<bool(Wanted&)>& change) {
    const std::lock_guard changing(change_mutex);
    Wanted next = wanted;
    if (!change(next)) return false;
    const std::string before = wanted.effective().runtime_cache.path(), now = next.effective().runtime_cache.path();
    if (before != now) load_now(now);
    std::shared_ptr<RuntimeCache> replaced;
    std::vector<std::shared_ptr<RuntimeCache>> dropped;  // their end saves them, too, without the mutex
    {
      const std::lock_guard lock(mutex);
      wanted = std::move(next);
      is_current = false;
      if (const auto known = owned.find(before); known != owned.end() && before != now) replaced = known->second;
      std::erase_if(owned, [&](auto& entry) {
        if (wanted.names(entry.first)) return false;
        dropped.push_back(std::move(entry.second));
        return true;
      });
    }
    if (replaced) replaced->autosave();
    return true;
  }

  /// Changes a copy, and keeps it if what it comes to can be had.
  template <class T, class Change, class Use>
  void change(Stacked<T>& stacked, Change change, Use use) {
    const std::lock_guard lock(mutex);
    Stacked<T> next = stacked;
    change(next);
    use(next.top());
    stacked = std::move(next);
  }
  template <class Change>
  void change_profile(Change how) {
    change(profile, how, [&](int wanted) { value_or_throw(shared->want_profile(engine, wanted)); });
  }
  template <class Change>
  void change_allocation(Change how) {
    change(allocation, how, [&](auto strategy) { shared->use_strategy(strategy); });
  }

  std::shared_ptr<ExecutionContext> current() {
    const CudaGraphsMode mode = cudagraphs_mode();
    std::unique_lock lock(mutex);
    if (is_current && mode == mode_seen) return context;
    std::string warning;
    RuntimeSettings now = wanted.effective();
    const bool was_switched =
        mode == CudaGraphsMode::subgraph_cudagraphs && now.cuda_graph_strategy == CudaGraphStrategy::disabled;
    if (was_switched) {
      lock.unlock();
      apply([](Wanted& w) {
        w.base.cuda_graph_strategy = CudaGraphStrategy::whole_graph_capture;
        return true;
      });
      lock.lock();
      now = wanted.effective();
      now.cuda_graph_strategy = CudaGraphStrategy::whole_graph_capture;  // whatever a scope says
    }
    if (now.cuda_graph_strategy != CudaGraphStrategy::disabled && options.device.type == Device::Type::cpu) {
      if (is_first_without_graphs())
        warning = "cuda_graph_strategy has no effect on a CPU, which has no graphs: engines run as without it";
    } else if (was_switched && !std::exchange(has_warned_of_switch, true)) {
      warning = fmt::format(
          "engine '{}' captures CUDA graphs from now on, as the CUDA graphs mode asks for it: its cuda_graph_strategy "
          "is now 'whole_graph_capture'. To ask for it, set cuda_graph_strategy='whole_graph_capture' in its "
          "RuntimeSettings, or use set_cuda_graph_strategy()",
          engine.name());
    }
    if (!context || !(now == context_settings)) {
      ContextOptions o = context_options(now);
      o.cache = cache_of(now.runtime_cache);
      context = std::make_shared<ExecutionContext>(engine, std::move(o), shared);
      context_settings = now;
      ++created;
    }
    is_current = true;
    mode_seen = mode;
    auto made = context;
    lock.unlock();
    if (!warning.empty()) options.warn ? options.warn(warning) : warn(warning);
    return made;
  }

  /// The context there is, or else one that is not kept: asking makes none.
  std::shared_ptr<ExecutionContext> look() const {
    const std::lock_guard lock(mutex);
    if (context) return context;
    return std::make_shared<ExecutionContext>(engine, context_options(wanted.effective()), shared);
  }

  const Engine engine;
  const SessionOptions options;
  const std::shared_ptr<runtime::SharedEngine> shared;

  std::mutex change_mutex;   // one change of settings at a time, with its loading and saving; taken before the other
  mutable std::mutex mutex;  // guards what follows; never held while something compiles or runs
  Wanted wanted;             // changed under both
  std::uint64_t next_overlay = 1;
  std::shared_ptr<ExecutionContext> context;
  RuntimeSettings context_settings;
  std::map<std::string, std::shared_ptr<RuntimeCache>> owned;  // by the path that names them
  bool is_current = false;                                     // the context has the settings in force
  CudaGraphsMode mode_seen = CudaGraphsMode::standard;
  bool has_warned_of_switch = false;
  Stacked<int> profile{kAutoProfile};
  Stacked<ResourceAllocationStrategy> allocation{ResourceAllocationStrategy::static_allocation};
  int created = 0;
  runtime::StructuredSessions structured;  // where the engine is of sequences or optionals
};

Session::Session(Engine engine, SessionOptions options, RuntimeSettings settings)
    : impl_(std::make_unique<Impl>(std::move(engine), std::move(options), std::move(settings))) {}
Session::~Session() = default;

std::vector<Tensor> Session::execute(std::span<const TensorView> inputs) { return impl_->current()->execute(inputs); }

void Session::execute(std::span<const TensorView> inputs, std::span<const TensorView> outputs) {
  impl_->current()->execute(inputs, outputs);
}

void Session::execute(std::span<const TensorView> inputs, std::span<const TensorView> outputs, StreamHandle stream) {
  impl_->current()->execute(inputs, outputs, stream);
}

void Session::execute(std::span<const TensorView> inputs, const OutputAllocator& allocate) {
  impl_->current()->execute(inputs, allocate);
}

void Session::execute(std::span<const TensorView> inputs, const OutputAllocator& allocate, StreamHandle stream) {
  impl_->current()->execute(inputs, allocate, stream);
}

std::vector<Value> Session::run(std::span<const ValueView> inputs) {
  if (impl_->engine.is_structured()) return impl_->structured.run(*this, inputs);
  std::vector<TensorView> views;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    if (inputs[i].kind != ValueKind::tensor || inputs[i].tensors.size() != 1)
      throw Error(ErrorKind::user, fmt::format("input {} must be one tensor", i));
    views.push_back(inputs[i].tensors[0]);
  }
  const auto forms = value_or_throw(engine::output_forms(impl_->engine.metadata(), impl_->engine.outputs().size()));
  return runtime::run_tensors(*this, views, forms);
}

std::vector<std::vector<std::int64_t>> Session::output_shapes(std::span<const TensorView> inputs) const {
  return impl_->look()->output_shapes(inputs);
}

std::string Session::inspect(bool source) const { return impl_->look()->inspect(source); }

std::string Session::layer_info(const std::vector<std::vector<std::int64_t>>& input_shapes) const {
  return impl_->look()->layer_info(input_shapes);
}

RuntimeSettings Session::runtime_settings() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->wanted.effective();
}

bool Session::update_runtime_settings(const RuntimeSettings& settings) {
  return impl_->apply([&](Wanted& w) {
    if (w.base == settings) return false;
    w.base = settings;
    return true;
  });
}

std::uint64_t Session::add_overrides(RuntimeSettingsOverrides overrides) {
  std::uint64_t id = 0;
  impl_->apply([&](Wanted& w) {
    id = impl_->next_overlay++;
    w.overlays.emplace_back(id, std::move(overrides));
    return true;
  });
  return id;
}

void Session::remove_overrides(std::uint64_t id) {
  impl_->apply([&](Wanted& w) {
    return std::erase_if(w.overlays, [&](const auto& overlay) { return overlay.first == id; }) != 0;
  });
}

void Session::set_optimization_profile(int profile) {
  impl_->change_profile([&](auto& p) { p.base = profile; });
}
int Session::optimization_profile() const { return impl_->shared->active_profile.load(); }
std::uint64_t Session::add_optimization_profile(int profile) {
  std::uint64_t id = 0;
  impl_->change_profile([&](auto& p) { id = p.add(profile); });
  return id;
}
void Session::remove_optimization_profile(std::uint64_t id) {
  impl_->change_profile([&](auto& p) { p.remove(id); });
}

void Session::set_resource_allocation_strategy(ResourceAllocationStrategy strategy) {
  impl_->change_allocation([&](auto& a) { a.base = strategy; });
}
ResourceAllocationStrategy Session::resource_allocation_strategy() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->allocation.top();
}
std::uint64_t Session::add_resource_allocation_strategy(ResourceAllocationStrategy strategy) {
  std::uint64_t id = 0;
  impl_->change_allocation([&](auto& a) { id = a.add(strategy); });
  return id;
}
void Session::remove_resource_allocation_strategy(std::uint64_t id) {
  impl_->change_allocation([&](auto& a) { a.remove(id); });
}

std::int64_t Session::streamable_weight_bytes() const { return impl_->shared->weights->total(); }
std::int64_t Session::weight_budget() const { return impl_->shared->weights->bytes(); }
void Session::set_weight_budget(std::int64_t bytes) { value_or_throw(impl_->shared->use_weight_budget(bytes)); }
std::int64_t Session::automatic_weight_budget() const {
  return std::min(streamable_weight_bytes(), static_cast<std::int64_t>(usable_memory() / 2));
}

bool Session::has_context() const {
  if (impl_->engine.is_structured()) return impl_->structured.has_context();
  const std::lock_guard lock(impl_->mutex);
  return impl_->context != nullptr;
}

void Session::invalidate_context() {
  if (impl_->engine.is_structured()) return impl_->structured.invalidate_contexts();
  const std::lock_guard lock(impl_->mutex);
  impl_->context = nullptr;
  impl_->is_current = false;
}

int Session::num_execution_contexts_created() const {
  if (impl_->engine.is_structured()) return impl_->structured.contexts_created();
  const std::lock_guard lock(impl_->mutex);
  return impl_->created;
}

std::shared_ptr<ExecutionContext> Session::context() { return impl_->current(); }

std::shared_ptr<RuntimeCache> Session::runtime_cache() {
  const std::lock_guard lock(impl_->mutex);
  return impl_->cache_of(impl_->wanted.effective().runtime_cache);
}

void Session::warm(std::span<const std::vector<std::vector<std::int64_t>>> shapes) { impl_->current()->warm(shapes); }

bool Session::wait_until_specialized(double timeout_seconds) {
  if (impl_->engine.is_structured()) return impl_->structured.wait_until_specialized(timeout_seconds);
  std::shared_ptr<ExecutionContext> context;
  {
    const std::lock_guard lock(impl_->mutex);
    context = impl_->context;
  }
  return !context || context->wait_until_specialized(timeout_seconds);
}

CompileStatus Session::compile_status() const { return impl_->shared->compile_status(); }

void Session::cancel_specialization() { impl_->shared->specializer->cancel(); }

void Session::on_compile_status(std::function<void(const CompileStatus&)> callback) {
  impl_->shared->specializer->on_change(std::move(callback));
}

const Engine& Session::engine() const { return impl_->engine; }

const SessionOptions& Session::options() const { return impl_->options; }

ContextStats Session::stats() const {
  if (!impl_->engine.is_structured()) return impl_->look()->stats();
  ContextStats stats;
  impl_->structured.add_to(stats);
  return stats;
}

}  // namespace jitney
