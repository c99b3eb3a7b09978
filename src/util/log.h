// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fmt/format.h>
#include <jitney/logging.h>

#include <cstdint>
#include <string_view>
#include <utility>

/// Log lines, for the layers to write; jitney/logging.h says where they go. JITNEY_LOG chooses how many: errors,
/// warnings (the default), info, debug or graphs. All functions are thread-safe.
namespace jitney {

bool log_enabled(LogLevel level);
void log_line(LogLevel level, std::string_view message);

template <class... A>
void log(LogLevel level, fmt::format_string<A...> f, A&&... a) {
  if (log_enabled(level)) log_line(level, fmt::format(f, std::forward<A>(a)...));
}
template <class... A>
void log_error(fmt::format_string<A...> f, A&&... a) {
  log(LogLevel::errors, f, std::forward<A>(a)...);
}
template <class... A>
void log_warning(fmt::format_string<A...> f, A&&... a) {
  log(LogLevel::warnings, f, std::forward<A>(a)...);
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

/// How many lines of a level there were since the process began; those that were not wanted do not count.
std::uint64_t log_lines(LogLevel level);

}  // namespace jitney
