// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fmt/format.h>

#include <string_view>
#include <utility>

/// Log lines go to stderr. JITNEY_LOG chooses how many: errors, warnings (the default), info or debug.
/// All functions are thread-safe.
namespace jitney {

enum class LogLevel { error, warning, info, debug };

bool log_enabled(LogLevel level);
/// For the command line's --verbose; wins over JITNEY_LOG.
void set_log_level(LogLevel level);
void log_line(LogLevel level, std::string_view message);

template <class... A>
void log(LogLevel level, fmt::format_string<A...> f, A&&... a) {
  if (log_enabled(level)) log_line(level, fmt::format(f, std::forward<A>(a)...));
}
template <class... A>
void log_error(fmt::format_string<A...> f, A&&... a) {
  log(LogLevel::error, f, std::forward<A>(a)...);
}
template <class... A>
void log_warning(fmt::format_string<A...> f, A&&... a) {
  log(LogLevel::warning, f, std::forward<A>(a)...);
}
template <class... A>
void log_info(fmt::format_string<A...> f, A&&... a) {
  log(LogLevel::info, f, std::forward<A>(a)...);
}
template <class... A>
void log_debug(fmt::format_string<A...> f, A&&... a) {
  log(LogLevel::debug, f, std::forward<A>(a)...);
}

/// Warns the first time that `key` is seen in this process; true if it did.
bool warn_once(std::string_view key, std::string_view message);

}  // namespace jitney
