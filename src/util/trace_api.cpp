// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
// jitney/trace.h on top of util/trace.h.
#include <jitney/trace.h>

#include "util/log.h"
#include "util/trace.h"

namespace jitney {
namespace {

thread_local constinit const CorrelationId* innermost = nullptr;

}  // namespace

void start_trace(const std::string& path) { value_or_throw(start_tracing(path)); }
void stop_trace() { value_or_throw(stop_tracing()); }

bool is_tracing() noexcept {
  return (trace_detail::active.load(std::memory_order_relaxed) & trace_detail::kRecording) != 0;
}

Trace::~Trace() {
  if (!on_) return;
  if (const Status stopped = stop_tracing(); !stopped) log_error("{}", stopped.error().message);
}

void Trace::stop() {
  if (!std::exchange(on_, false)) return;
  stop_trace();
}

CorrelationId::CorrelationId(std::string_view id) noexcept : outer_(innermost) {
  TraceText<63> text;
  text.set(id);
  const std::string_view kept = text.view();
  std::memcpy(id_.data(), kept.data(), kept.size());
  id_.back() = static_cast<char>(kept.size());
  innermost = this;
}

CorrelationId::~CorrelationId() { innermost = outer_; }

std::string_view CorrelationId::current() noexcept {
  if (innermost == nullptr) return {};
  return {innermost->id_.data(), static_cast<std::size_t>(innermost->id_.back())};
}

TraceScope::TraceScope(std::string_view name) {
  if (trace_detail::active.load(std::memory_order_relaxed) != 0) span_ = std::make_unique<TraceSpan>("user", name);
}

TraceScope::~TraceScope() = default;

}  // namespace jitney
