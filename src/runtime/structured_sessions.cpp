// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "runtime/structured_sessions.h"

#include <jitney/device_tensor.h>

#include <algorithm>
#include <cstring>
#include <iterator>

#include "engine/engine_impl.h"
#include "engine/readable.h"
#include "runtime/strided.h"

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

std::shared_ptr<Session> StructuredSessions::session_for(Session& parent,
                                                         const std::shared_ptr<const engine::StructuredEngine>& made) {
  RuntimeSettings settings = parent.runtime_settings();
  settings.runtime_cache = parent.runtime_cache();  // one handle for all
  std::shared_ptr<Session> session, dropped;
  {
    const std::lock_guard lock(mutex_);
    if (!kept_.contains(made) && kept_.size() >= engine::StructuredModel::kMostEngines) {
      const auto oldest = std::min_element(kept_.begin(), kept_.end(), [](const auto& a, const auto& b) {
        return a.second.last_use < b.second.last_use;
      });
      dropped = std::move(oldest->second.session);
      kept_.erase(oldest);
    }
    Kept& kept = kept_[made];
    if (!kept.session) kept.session = std::make_shared<Session>(made->engine, parent.options(), settings);
    kept.last_use = ++uses_;
    session = kept.session;
  }
  session->update_runtime_settings(settings);
  session->set_resource_allocation_strategy(parent.resource_allocation_strategy());
  return session;
}

std::vector<Value> StructuredSessions::run(Session& parent, std::span<const ValueView> inputs) {
  const auto made = value_or_throw(parent.engine().impl()->structured()->engine_for(inputs));
  const auto session = session_for(parent, made);
  std::vector<TensorView> views;
  for (std::size_t i = 0; i < inputs.size(); ++i)
    if (!made->is_a_constant[i]) views.insert(views.end(), inputs[i].tensors.begin(), inputs[i].tensors.end());
  return run_tensors(*session, views, made->outputs);
}

void StructuredSessions::add_to(ContextStats& stats) const {
  std::vector<std::shared_ptr<Session>> sessions;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [engine, kept] : kept_) sessions.push_back(kept.session);
  }
  for (const auto& session : sessions) {
    const ContextStats s = session->stats();
    stats.kernels += s.kernels;
    stats.library_calls += s.library_calls;
    stats.distinct_kernels += s.distinct_kernels;
    stats.compiled += s.compiled;
    stats.from_cache += s.from_cache;
    stats.failed += s.failed;
    stats.interpreted += s.interpreted;
    stats.interpreted_operators += s.interpreted_operators;
    stats.plans += s.plans;
    stats.compile_seconds += s.compile_seconds;
    stats.stages += s.stages;
    stats.stage_runs += s.stage_runs;
    stats.hosted_runs += s.hosted_runs;
    stats.host_copies += s.host_copies;
    stats.host_copied_bytes += s.host_copied_bytes;
    stats.graphs_captured += s.graphs_captured;
    stats.graph_replays += s.graph_replays;
    stats.graph_updates += s.graph_updates;
    stats.graph_fallbacks += s.graph_fallbacks;
    stats.arena_bytes += s.arena_bytes;
    stats.device_bytes = std::max(stats.device_bytes, s.device_bytes);
    // The cache is one for all.
    stats.cache_hits = std::max(stats.cache_hits, s.cache_hits);
    stats.cache_published = std::max(stats.cache_published, s.cache_published);
    stats.cache_path = s.cache_path;
    stats.cache_description = s.cache_description;
  }
}

}  // namespace jitney::runtime
