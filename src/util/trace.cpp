// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "util/trace.h"

#include <pthread.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <mutex>
#include <optional>

#include "util/atomic_file.h"
#include "util/env.h"
#include "util/log.h"
#include "util/nvtx.h"
#include "util/paths.h"
#include "util/trace_json.h"
#include "util/trace_ring.h"

namespace jitney {
namespace {

using trace_detail::active;
using trace_detail::kNvtx;
using trace_detail::kRecording;

std::int64_t now() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

/// Never destroyed: threads may still end their spans while the process exits.
struct State {
  std::mutex mutex;  ///< of starting and stopping
  std::string path;
  std::int64_t origin = 0;
  std::atomic<std::uint32_t> traces{0};
  /// Events that are being added. A stop takes `active` back, and then waits for this to become 0.
  std::atomic<int> writers{0};
  TraceRing rare{32'768, false}, frequent{131'072, true};
};

State& state() {
  static State& s = *new State;
  return s;
}

thread_local std::uint32_t named_in_trace = 0;

std::int32_t thread_id() {
  thread_local const auto id = static_cast<std::int32_t>(syscall(SYS_gettid));
  return id;
}

bool is_frequent(std::string_view category) {
  return category == "execute" || category == "step" || category == "launch" || category == "replay" ||
         category == "counter" || category == "user";
}

void name_thread(State& s, const TraceEvent& like) {
  const std::uint32_t trace = s.traces.load(std::memory_order_relaxed);
  if (named_in_trace == trace) return;
  named_in_trace = trace;
  char name[32] = "main";
  if (thread_id() != getpid()) pthread_getname_np(pthread_self(), name, sizeof(name));
  TraceEvent e;
  trace_detail::start(e, TraceEvent::Kind::thread_name, like.category, name);
  s.rare.add(e);
}

void record(const TraceEvent& event) {
  State& s = state();
  s.writers.fetch_add(1);
  if ((active.load() & kRecording) != 0) {
    name_thread(s, event);
    (is_frequent(event.category) ? s.frequent : s.rare).add(event);
  }
  s.writers.fetch_sub(1);
}

std::string expand(const std::string& path) {
  const auto at = path.find("%p");
  return at == std::string::npos ? path : path.substr(0, at) + std::to_string(getpid()) + path.substr(at + 2);
}

Failure about_trace(const std::string& path, const Failure& failure) {
  return {failure.kind, fmt::format("cannot trace to '{}': {}", path, failure.message)};
}

/// In the child: other threads of the parent are gone, and with them what they were adding.
void forget_after_fork() {
  active.fetch_and(~kRecording);
  state().writers = 0;
}

void stop_at_exit() {
  if (const Status stopped = stop_tracing(); !stopped) log_error("{}", stopped.error().message);
}

}  // namespace

void trace_detail::start(TraceEvent& event, TraceEvent::Kind kind, const char* category, std::string_view title) {
  event.kind = kind;
  event.number_count = event.text_count = 0;
  event.flow_begins = event.flow_ends = false;
  event.thread = thread_id();
  event.category = category;
  event.nanoseconds = 0;
  event.title.set(title);
  event.correlation.set(CorrelationId::current());
  event.begin = now();
}

void trace_detail::finish(TraceEvent& event) {
  event.nanoseconds = now() - event.begin;
  record(event);
}

void trace_detail::push_range(const TraceEvent& event) { nvtx_push(event.category, event.title.view()); }
void trace_detail::pop_range() { nvtx_pop(); }

void trace_instant(const char* category, std::string_view title, const char* key, std::string_view text) {
  if ((active.load(std::memory_order_relaxed) & kRecording) == 0) return;
  TraceEvent event;
  trace_detail::start(event, TraceEvent::Kind::instant, category, title);
  if (key != nullptr) {
    event.texts[0].key = key;
    event.texts[0].value.set(text);
    event.text_count = 1;
  }
  record(event);
}

void trace_counter(const char* name, std::int64_t value) {
  if ((active.load(std::memory_order_relaxed) & kRecording) == 0) return;
  TraceEvent event;
  trace_detail::start(event, TraceEvent::Kind::counter, "counter", name);
  event.numbers[0] = {"value", value};
  event.number_count = 1;
  record(event);
}

Status start_tracing(const std::string& path) {
  State& s = state();
  const std::lock_guard lock(s.mutex);
  if ((active.load() & kRecording) != 0) return user_error("a trace to '{}' is on already; stop it first", s.path);
  std::string file = expand(path);
  // Better now than when everything has been run.
  if (auto probe = AtomicFile::create(file, {}); !probe) return tl::unexpected(about_trace(file, probe.error()));
  JITNEY_CHECK(s.rare.reset());
  JITNEY_CHECK(s.frequent.reset());
  s.path = std::move(file);
  s.origin = now();
  static std::once_flag once;
  std::call_once(once, [] {
    pthread_atfork(nullptr, nullptr, forget_after_fork);
    std::atexit(stop_at_exit);
  });
  s.traces.fetch_add(1);
  active.fetch_or(kRecording);
  return {};
}

Status stop_tracing() {
  // Without the lock, which a fork's child may have inherited locked.
  if ((active.load() & kRecording) == 0) return {};
  State& s = state();
  const std::lock_guard lock(s.mutex);
  if ((active.fetch_and(~kRecording) & kRecording) == 0) return {};
  while (s.writers.load() != 0) sched_yield();
  auto events = s.rare.events();
  const auto frequent = s.frequent.events();
  events.insert(events.end(), frequent.begin(), frequent.end());
  std::string program = executable_path();
  program.erase(0, program.rfind('/') + 1);
  const TraceFacts facts{program, getpid(), s.origin, s.rare.lost() + s.frequent.lost()};
  const auto write = [&]() -> Status {
    JITNEY_TRY(AtomicFile file, AtomicFile::create(s.path, {}));
    JITNEY_CHECK(write_trace(facts, std::move(events), [&](const std::string& piece) {
      return file.write(std::as_bytes(std::span(piece.data(), piece.size())));
    }));
    return file.commit();
  };
  const Status written = write();
  s.rare.release();
  s.frequent.release();
  if (!written) return tl::unexpected(about_trace(s.path, written.error()));
  return {};
}

void trace_from_environment() {
  static std::once_flag once;
  std::call_once(once, [] {
    if (nvtx_is_wanted()) active.fetch_or(kNvtx);
    const auto path = env_path("JITNEY_TRACE");
    if (!path || is_tracing()) return;
    if (const Status started = start_tracing(*path); !started) log_warning("JITNEY_TRACE: {}", started.error().message);
  });
}

}  // namespace jitney
