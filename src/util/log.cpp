// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "util/log.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "util/env.h"
#include "util/stacked.h"

namespace jitney {
namespace {

constexpr std::string_view kNames[] = {"errors", "warnings", "info", "debug", "graphs"};

/// Never destroyed: background threads may still log while the process exits.
struct State {
  std::mutex mutex;
  Stacked<LogLevel> wanted{LogLevel::warnings};     ///< guarded by mutex
  std::atomic<LogLevel> level{LogLevel::warnings};  ///< what follows from it
  std::atomic<bool> has_sink{false};
  std::shared_ptr<const LogSink> sink;  ///< guarded by mutex, and called without it
  std::array<std::atomic<std::uint64_t>, std::size(kNames)> lines{};
  /// Not in spdlog's registry, which belongs to the application.
  spdlog::logger logger{"jitney", std::make_shared<spdlog::sinks::stderr_sink_mt>()};

  State() {
    logger.set_pattern("jitney: %l: %v");
    logger.set_level(spdlog::level::trace);
    logger.flush_on(spdlog::level::trace);
    const std::string asked = env_string("JITNEY_LOG").value_or("warnings");
    const auto* found = std::ranges::find(kNames, asked);
    if (found == std::end(kNames)) {
      logger.warn("JITNEY_LOG is '{}'; allowed are errors, warnings, info, debug and graphs", asked);
    } else {
      wanted.base = static_cast<LogLevel>(found - std::begin(kNames));
    }
    apply();
  }

  void apply() { level = wanted.top(); }
};

State& state() {
  static State& s = *new State;
  return s;
}

spdlog::level::level_enum to_spdlog(LogLevel level) {
  switch (level) {
    case LogLevel::errors: return spdlog::level::err;
    case LogLevel::warnings: return spdlog::level::warn;
    case LogLevel::info: return spdlog::level::info;
    default: return spdlog::level::debug;
  }
}

void to_stderr(State& s, LogLevel level, std::string_view message) {
  s.logger.log(to_spdlog(level), spdlog::string_view_t(message.data(), message.size()));
}

thread_local bool in_sink = false;

/// Whether the sink took it.
bool to_sink(const LogSink& sink, LogLevel level, std::string_view message) {
  if (!sink || in_sink) return false;
  in_sink = true;
  try {
    sink(level, message);
  } catch (...) {  // a log line is no reason for an inference to fail
  }
  in_sink = false;
  return true;
}

}  // namespace

std::string_view to_string(LogLevel level) { return kNames[static_cast<std::size_t>(level)]; }

LogLevel log_level() { return state().level.load(std::memory_order_relaxed); }

void set_log_level(LogLevel level) {
  State& s = state();
  const std::lock_guard lock(s.mutex);
  s.wanted.base = level;
  s.apply();
}

LogScope::LogScope(LogLevel level) {
  State& s = state();
  const std::lock_guard lock(s.mutex);
  id_ = s.wanted.add(level);
  s.apply();
}

LogScope::~LogScope() {
  State& s = state();
  const std::lock_guard lock(s.mutex);
  s.wanted.remove(id_);
  s.apply();
}

void set_log_sink(LogSink sink) {
  auto shared = sink ? std::make_shared<const LogSink>(std::move(sink)) : nullptr;
  State& s = state();
  const std::lock_guard lock(s.mutex);
  s.has_sink = shared != nullptr;
  s.sink.swap(shared);
}

bool log_enabled(LogLevel level) {
  State& s = state();
  return level <= s.level.load(std::memory_order_relaxed);
}

void log_line(LogLevel level, std::string_view message) {
  State& s = state();
  if (!log_enabled(level)) return;
  s.lines[static_cast<std::size_t>(level)].fetch_add(1, std::memory_order_relaxed);
  std::shared_ptr<const LogSink> sink;
  if (s.has_sink) {
    const std::lock_guard lock(s.mutex);
    sink = s.sink;
  }
  if (!sink || !to_sink(*sink, level, message)) to_stderr(s, level, message);
}

std::uint64_t log_lines(LogLevel level) { return state().lines[static_cast<std::size_t>(level)].load(); }

bool warn_once(std::string_view key, std::string_view message) {
  static auto& mutex = *new std::mutex;
  static auto& seen = *new std::set<std::string, std::less<>>;
  {
    std::lock_guard lock(mutex);
    if (!seen.emplace(key).second) return false;
  }
  log_line(LogLevel::warnings, message);
  return true;
}

}  // namespace jitney
