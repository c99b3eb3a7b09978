// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <jitney/trace.h>

#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>

#include "util/expected.h"
#include "util/trace_event.h"

/// What the public trace (jitney/trace.h) is made of. Everything is thread-safe and costs one relaxed load while off.
/// Backends are libraries of their own with an own copy of this, which nobody starts: they have no spans.
namespace jitney {

namespace trace_detail {
inline constexpr unsigned kRecording = 1, kNvtx = 2;
inline constinit std::atomic<unsigned> active{0};
void finish(TraceEvent& event);
void start(TraceEvent& event, TraceEvent::Kind kind, const char* category, std::string_view title);
void push_range(const TraceEvent& event);
void pop_range();
}  // namespace trace_detail

/// From here to the end of the scope. `category` is a literal, and the title where there is none. Does not allocate.
class TraceSpan {
 public:
  explicit TraceSpan(const char* category, std::string_view title = {}) {
    active_ = trace_detail::active.load(std::memory_order_relaxed);
    if (active_ == 0) return;
    trace_detail::start(event_, TraceEvent::Kind::span, category, title);
    if ((active_ & trace_detail::kNvtx) != 0) trace_detail::push_range(event_);
  }
  ~TraceSpan() {
    if (active_ == 0) return;
    if ((active_ & trace_detail::kNvtx) != 0) trace_detail::pop_range();
    trace_detail::finish(event_);
  }
  TraceSpan(const TraceSpan&) = delete;
  TraceSpan& operator=(const TraceSpan&) = delete;

  /// Whether somebody looks, so that arguments are worth making.
  explicit operator bool() const { return active_ != 0; }
  /// `key` is a literal. The first four numbers and two texts are kept; texts are cut at 71 bytes.
  void number(const char* key, std::int64_t value) {
    if (active_ != 0 && event_.number_count < TraceEvent::kNumbers)
      event_.numbers[event_.number_count++] = {key, value};
  }
  void text(const char* key, std::string_view value) {
    if (active_ == 0 || event_.text_count >= TraceEvent::kTexts) return;
    event_.texts[event_.text_count].key = key;
    event_.texts[event_.text_count++].value.set(value);
  }
  /// An arrow from this span to the one that ends `flow`, for instance from a compile in the background to where its
  /// kernels come into use. Any number that names the pair within the process, such as an address.
  void begin_flow(std::uint64_t flow) { set_flow(flow, true, false); }
  void end_flow(std::uint64_t flow) { set_flow(flow, false, true); }

 private:
  void set_flow(std::uint64_t flow, bool begins, bool ends) {
    if (active_ == 0) return;
    event_.flow = flow;
    event_.flow_begins = begins;
    event_.flow_ends = ends;
  }

  unsigned active_;
  TraceEvent event_;
};

/// A mark at one moment; `text` is an argument of it.
void trace_instant(const char* category, std::string_view title, const char* key = nullptr, std::string_view text = {});
/// A number that changes over time, as a track of its own.
void trace_counter(const char* name, std::int64_t value);

/// JITNEY_TRACE=FILE starts a trace, once a process. A failure is one warning.
void trace_from_environment();

Status start_tracing(const std::string& path);
Status stop_tracing();

}  // namespace jitney
