// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstring>

#include "backend/null/null_backend.h"

/// Events and captured graphs of the null backend.
namespace jitney::backend {

Expected<EventHandle> NullBackend::record(int device, StreamHandle stream, EventHandle again) {
  JITNEY_CHECK(check_device(device));
  std::lock_guard lock(mutex_);
  JITNEY_TRY(auto* s, find_stream(stream));
  const EventHandle handle = again != 0 ? again : next_handle_++;
  events_[handle] = s->clock;
  return handle;
}

Status NullBackend::wait(int device, StreamHandle stream, EventHandle event) {
  JITNEY_CHECK(check_device(device));
  std::lock_guard lock(mutex_);
  JITNEY_TRY(auto* s, find_stream(stream));
  const auto found = events_.find(event);
  if (found == events_.end()) return internal_error("the null backend has no event {}", event);
  for (const auto& [other, position] : found->second) s->clock[other] = std::max(s->clock[other], position);
  return {};
}

void NullBackend::destroy_event(int, EventHandle event) noexcept {
  std::lock_guard lock(mutex_);
  events_.erase(event);
}

bool NullBackend::is_ordered(EventHandle event, StreamHandle stream) const {
  std::lock_guard lock(mutex_);
  const auto before = events_.find(event);
  const auto after = streams_.find(stream);
  if (before == events_.end() || after == streams_.end()) return false;
  return std::ranges::all_of(before->second, [&](const auto& entry) {
    const auto seen = after->second.clock.find(entry.first);
    return seen != after->second.clock.end() && seen->second >= entry.second;
  });
}

Status NullBackend::begin_capture(int device, StreamHandle stream) {
  JITNEY_CHECK(check_device(device));
  std::lock_guard lock(mutex_);
  JITNEY_TRY(auto* s, find_stream(stream));
  JITNEY_CHECK(begin_call(NullCall::begin_capture));
  if (s->recording) return internal_error("stream {} is being captured already", stream);
  s->recording.emplace();
  return {};
}

Expected<GraphHandle> NullBackend::end_capture(int device, StreamHandle stream) {
  JITNEY_CHECK(check_device(device));
  std::lock_guard lock(mutex_);
  JITNEY_TRY(auto* s, find_stream(stream));
  if (!s->recording) return internal_error("stream {} is not being captured", stream);
  const GraphHandle handle = next_handle_++;
  graphs_[handle] = std::move(*s->recording);
  s->recording.reset();
  return handle;
}

Status NullBackend::replay(int device, GraphHandle graph, StreamHandle stream) {
  JITNEY_CHECK(check_device(device));
  std::lock_guard lock(mutex_);
  JITNEY_TRY(auto* s, find_stream(stream));
  JITNEY_CHECK(begin_call(NullCall::replay));
  const auto found = graphs_.find(graph);
  if (found == graphs_.end()) return internal_error("the null backend has no graph {}", graph);
  if (s->recording)
    return internal_error("stream {} is being captured: a graph inside a graph is not supported", stream);
  counters_.replayed_launches += found->second.launches;
  for (const auto& copy : found->second.copies) std::memcpy(copy.to, copy.from, copy.bytes);
  s->clock[stream] += found->second.launches + static_cast<std::int64_t>(found->second.copies.size());
  return {};
}

Status NullBackend::update(int device, GraphHandle graph, std::size_t launch, const LaunchArgs&) {
  JITNEY_CHECK(check_device(device));
  std::lock_guard lock(mutex_);
  const auto found = graphs_.find(graph);
  if (found == graphs_.end()) return internal_error("the null backend has no graph {}", graph);
  const std::int64_t launches = found->second.launches;
  if (launches <= 0 || launch >= static_cast<std::size_t>(launches))
    return internal_error("a graph of {} launches has no launch {} to update", launches, launch);
  return {};
}

void NullBackend::destroy_graph(int, GraphHandle graph) noexcept {
  std::lock_guard lock(mutex_);
  graphs_.erase(graph);
}

}  // namespace jitney::backend
