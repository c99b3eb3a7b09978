// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "runtime/structured_sessions.h"

#include <jitney/device_tensor.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <iterator>
#include <map>
#include <mutex>

#include "engine/engine_impl.h"
#include "engine/readable.h"
#include "runtime/strided.h"
#include "runtime/sum_stats.h"

namespace jitney::runtime {
namespace {

Tensor row_major(const TensorView& view) {
  Tensor copy(view.dtype, {view.shape.begin(), view.shape.end()});
  if (is_contiguous(view)) {
    if (copy.num_bytes() > 0) std::memcpy(copy.data(), view.data, copy.num_bytes());
  } else {
    copy_strided(view.dtype, view.shape, view.data, view.strides, copy.data());
  }
  return copy;
}

/// On a device with memory of its own: inputs go there, outputs come back.
std::vector<Tensor> execute_there(Session& session, std::vector<TensorView> inputs) {
  const Device device = session.options().device;
  std::vector<DeviceTensor> uploaded, made;
  uploaded.reserve(inputs.size());
  const auto& names = session.engine().inputs();
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    TensorView& view = inputs[i];
    // Before the copy, which reads it; how many there must be, the run says.
    if (i < names.size()) value_or_throw(engine::check_readable(view, names[i].name));
    if (view.device.type != Device::Type::cpu) continue;
    uploaded.emplace_back(row_major(view), device);
    view = uploaded.back().view();
  }
  made.reserve(session.engine().outputs().size());
  session.execute(inputs, [&](std::size_t, DType dtype, std::span<const std::int64_t> shape) {
    made.emplace_back(dtype, std::vector<std::int64_t>(shape.begin(), shape.end()), device);
    return made.back().view().data;
  });
  std::vector<Tensor> outputs;
  for (const DeviceTensor& tensor : made) outputs.push_back(tensor.download());
  return outputs;
}

}  // namespace

std::vector<Value> run_tensors(Session& session, std::span<const TensorView> inputs,
                               std::span<const engine::OutputForm> outputs) {
  std::vector<Tensor> tensors;
  if (!session.engine().outputs().empty()) {
    tensors = session.options().device.type == Device::Type::cuda
                  ? execute_there(session, {inputs.begin(), inputs.end()})
                  : session.execute(inputs);
  }
  std::vector<Value> values;
  auto next = std::make_move_iterator(tensors.begin());
  for (const engine::OutputForm& form : outputs) {
    const auto end = next + static_cast<std::ptrdiff_t>(form.count);
    values.push_back({form.kind, std::vector<Tensor>(next, end)});
    next = end;
  }
  return values;
}

class StructuredSessions::Kept final : public engine::StructuredModel::Listener {
 public:
  using EnginePtr = std::shared_ptr<const engine::StructuredEngine>;

  void dropped(const EnginePtr& engine) override {
    std::shared_ptr<Session> gone;  // ends without the mutex
    const std::lock_guard ending(ending_);
    {
      const std::lock_guard lock(mutex_);
      const auto found = entries_.find(engine);
      if (found == entries_.end()) return;
      gone = found->second->session;
      if (!gone) entries_.erase(found);
    }
    if (gone) retire(engine, *gone);
  }

  /// The session of an engine; `make` makes it, where there is none, without keeping others waiting.
  template <class Make>
  std::shared_ptr<Session> get(const EnginePtr& engine, Make make) {
    std::shared_ptr<Entry> entry;
    {
      const std::lock_guard lock(mutex_);
      const auto found = entries_.find(engine);
      if (found != entries_.end()) {
        entry = found->second;
      } else {
        entry = std::make_shared<Entry>();
        // Nobody would tell when one that is dropped already has to go.
        if (!engine->is_dropped) entries_.emplace(engine, entry);
      }
      if (entry->session) return entry->session;
    }
    const std::lock_guard making(entry->making);
    {
      const std::lock_guard lock(mutex_);
      if (entry->session) return entry->session;
    }
    auto made = make();
    const std::lock_guard lock(mutex_);
    entry->session = made;
    return made;
  }

  void listen_to(engine::StructuredModel& model, const std::shared_ptr<Kept>& self) {
    std::call_once(listening_, [&] { model.listen(self); });
  }

  std::vector<std::shared_ptr<Session>> all() const {
    const std::lock_guard lock(mutex_);
    return sessions();
  }

  /// Sessions that are, and what is left of those that were: nothing is in both.
  std::vector<std::shared_ptr<Session>> all(ContextStats& history, int& created) const {
    const std::lock_guard lock(mutex_);
    history = history_;
    created = created_;
    return sessions();
  }

 private:
  struct Entry {
    std::mutex making;
    std::shared_ptr<Session> session;  // under the other mutex
  };

  std::vector<std::shared_ptr<Session>> sessions() const {
    std::vector<std::shared_ptr<Session>> found;
    for (const auto& [engine, entry] : entries_)
      if (entry->session) found.push_back(entry->session);
    return found;
  }

  void retire(const EnginePtr& engine, const Session& session) {
    const ContextStats stats = session.stats();
    const int created = session.num_execution_contexts_created();
    const std::lock_guard lock(mutex_);
    add_history(history_, stats);
    created_ += created;
    if (!session.runtime_settings().runtime_cache.handle()) add_cache_counts(history_, stats);  // it had its own
    entries_.erase(engine);
  }

  std::once_flag listening_;
  std::mutex ending_;         // one session ends at a time; taken before the other
  mutable std::mutex mutex_;  // guards what follows; never held while anything is made, runs or ends
  std::map<EnginePtr, std::shared_ptr<Entry>> entries_;
  ContextStats history_;
  int created_ = 0;
};

StructuredSessions::StructuredSessions() : kept_(std::make_shared<Kept>()) {}
StructuredSessions::~StructuredSessions() = default;

std::shared_ptr<Session> StructuredSessions::session_for(Session& parent,
                                                         const std::shared_ptr<const engine::StructuredEngine>& made) {
  RuntimeSettings settings = parent.runtime_settings();
  settings.runtime_cache = parent.runtime_cache();  // one handle for all
  const auto session =
      kept_->get(made, [&] { return std::make_shared<Session>(made->engine, parent.options(), settings); });
  session->update_runtime_settings(settings);
  session->set_resource_allocation_strategy(parent.resource_allocation_strategy());
  return session;
}

std::vector<Value> StructuredSessions::run(Session& parent, std::span<const ValueView> inputs) {
  const auto& model = parent.engine().impl()->structured();
  kept_->listen_to(*model, kept_);
  const auto made = value_or_throw(model->engine_for(inputs));
  const auto session = session_for(parent, made);
  std::vector<TensorView> views;
  for (std::size_t i = 0; i < inputs.size(); ++i)
    if (!made->is_a_constant[i]) views.insert(views.end(), inputs[i].tensors.begin(), inputs[i].tensors.end());
  return run_tensors(*session, views, made->outputs);
}

void StructuredSessions::add_to(ContextStats& stats) const {
  int created = 0;
  ContextStats history;
  const auto sessions = kept_->all(history, created);
  add_counts(stats, history);
  add_cache_counts(stats, history);
  // A cache that sessions share counts for all of them.
  std::map<const RuntimeCache*, ContextStats> shared;
  for (const auto& session : sessions) {
    const ContextStats s = session->stats();
    add_counts(stats, s);
    if (const auto cache = session->runtime_settings().runtime_cache.handle())
      latest_cache_counts(shared[cache.get()], s);
    else
      add_cache_counts(stats, s);
  }
  for (const auto& [cache, counts] : shared) add_cache_counts(stats, counts);
}

bool StructuredSessions::has_context() const {
  const auto sessions = kept_->all();
  return std::any_of(sessions.begin(), sessions.end(), [](const auto& session) { return session->has_context(); });
}

int StructuredSessions::contexts_created() const {
  int created = 0;
  ContextStats history;
  for (const auto& session : kept_->all(history, created)) created += session->num_execution_contexts_created();
  return created;
}

void StructuredSessions::invalidate_contexts() {
  for (const auto& session : kept_->all()) session->invalidate_context();
}

bool StructuredSessions::wait_until_specialized(double timeout_seconds) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::duration<double>(timeout_seconds);
  bool all_are = true;
  for (const auto& session : kept_->all()) {
    const std::chrono::duration<double> left = end - std::chrono::steady_clock::now();
    all_are = session->wait_until_specialized(std::max(0.0, left.count())) && all_are;
  }
  return all_are;
}

}  // namespace jitney::runtime
