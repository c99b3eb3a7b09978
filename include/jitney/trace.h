// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include <jitney/export.h>

/// One timeline of everything that this process does with Jitney: loading, lowering, compiling, cache look-ups, plans,
/// executes and their steps, graph captures. A file of Chrome's trace format, which ui.perfetto.dev opens. While no
/// trace is on, each of these places costs one relaxed load. Under Nsight Systems they are NVTX ranges, too, whether a
/// trace is on or not. All functions are thread-safe.
namespace jitney {

/// Begins a trace that stop_trace() writes to `path` ("%p" becomes the process id), as does a normal end of the
/// process. Memory is bounded: the first 32,768 rare events (loads, compiles, ...) and the newest 131,072 frequent ones
/// (executes, steps) are kept, and the file says how many are not. A fork's child has no trace. Throws Error(user) when
/// a trace is on already or the folder is not there, Error(environment) when the system refuses the file.
JITNEY_EXPORT void start_trace(const std::string& path);
/// Writes the file, whole or not at all, and ends the trace; nothing when none is on. Throws Error(environment) when it
/// cannot be written; the trace is over all the same.
JITNEY_EXPORT void stop_trace();
JITNEY_EXPORT bool is_tracing() noexcept;

/// A trace for as long as it lives. Its end logs what went wrong instead of throwing; stop() throws.
class JITNEY_EXPORT Trace {
 public:
  explicit Trace(const std::string& path) { start_trace(path); }
  ~Trace();
  Trace(const Trace&) = delete;
  Trace& operator=(const Trace&) = delete;
  void stop();

 private:
  bool on_ = true;
};

/// While it lives, what this thread does bears `id` in the trace, and so do compiles that it waits for. Nests: the
/// innermost counts. Ids longer than 63 bytes are cut. Allocates nothing. Must end on the thread that made it, the
/// newest first.
class JITNEY_EXPORT CorrelationId {
 public:
  explicit CorrelationId(std::string_view id) noexcept;
  ~CorrelationId();
  CorrelationId(const CorrelationId&) = delete;
  CorrelationId& operator=(const CorrelationId&) = delete;
  /// This thread's, "" outside of any. Valid until the innermost ends.
  static std::string_view current() noexcept;

 private:
  std::array<char, 64> id_{};  // its length comes last
  const CorrelationId* outer_;
};

/// A span of the caller's own on the timeline: "postprocess".
class JITNEY_EXPORT TraceScope {
 public:
  explicit TraceScope(std::string_view name);
  ~TraceScope();
  TraceScope(const TraceScope&) = delete;
  TraceScope& operator=(const TraceScope&) = delete;

 private:
  std::unique_ptr<class TraceSpan> span_;  // null while no trace is on
};

}  // namespace jitney
