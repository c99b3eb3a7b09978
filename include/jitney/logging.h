// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>

#include <jitney/export.h>

/// What Jitney says while it works. It goes to stderr, a line each, unless a sink takes it. All functions are
/// thread-safe.
namespace jitney {

/// From few to many: each level includes those before it.
enum class LogLevel : std::uint8_t {
  errors,
  warnings,  ///< the default, unless JITNEY_LOG says another: something is slower than it could be, and why
  info,      ///< decisions: what a kernel falls back to, which cache entry is not used
  debug,     ///< each compile, each pass that changed something
  graphs,    ///< the graphs themselves, after each such pass
};

/// "errors", "warnings", "info", "debug", "graphs"
JITNEY_EXPORT std::string_view to_string(LogLevel level);

JITNEY_EXPORT LogLevel log_level();
/// The level outside of every LogScope; wins over JITNEY_LOG.
JITNEY_EXPORT void set_log_level(LogLevel level);

/// Another level for as long as it lives, in all threads, since compiles run in others. The newest that lives counts,
/// whichever thread made it and in whatever order they end; when the last has gone the level is what set_log_level()
/// said.
class JITNEY_EXPORT LogScope {
 public:
  explicit LogScope(LogLevel level);
  ~LogScope();
  LogScope(const LogScope&) = delete;
  LogScope& operator=(const LogScope&) = delete;

 private:
  std::uint64_t id_;
};

/// Gets the level of one message, and its text without an end of line.
using LogSink = std::function<void(LogLevel, std::string_view)>;

/// From now on messages go to `sink` instead of stderr; an empty one is stderr again. Several threads may call it at
/// once, and one that is running may go on for a moment after another has been set. What it throws is dropped, and
/// what it logs itself goes to stderr.
JITNEY_EXPORT void set_log_sink(LogSink sink);

}  // namespace jitney
