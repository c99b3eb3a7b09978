// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "util/log.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <memory>
#include <mutex>
#include <set>
#include <string>

#include "util/env.h"

namespace jitney {
namespace {

spdlog::level::level_enum to_spdlog(LogLevel level) {
  switch (level) {
    case LogLevel::error: return spdlog::level::err;
    case LogLevel::info: return spdlog::level::info;
    case LogLevel::debug: return spdlog::level::debug;
    default: return spdlog::level::warn;
  }
}

/// Never destroyed: background threads may still log while the process exits. Not in spdlog's registry, which
/// belongs to the application.
spdlog::logger& logger() {
  static spdlog::logger& instance = *[] {
    auto* made = new spdlog::logger("jitney", std::make_shared<spdlog::sinks::stderr_sink_mt>());
    made->set_pattern("jitney: %l: %v");
    made->flush_on(spdlog::level::trace);
    const std::string wanted = env_string("JITNEY_LOG").value_or("warnings");
    LogLevel level = LogLevel::warning;
    if (wanted == "errors") {
      level = LogLevel::error;
    } else if (wanted == "info") {
      level = LogLevel::info;
    } else if (wanted == "debug") {
      level = LogLevel::debug;
    } else if (wanted != "warnings") {
      made->warn("JITNEY_LOG is '{}'; allowed are errors, warnings, info and debug", wanted);
    }
    made->set_level(to_spdlog(level));
    return made;
  }();
  return instance;
}

}  // namespace

bool log_enabled(LogLevel level) { return logger().should_log(to_spdlog(level)); }
void set_log_level(LogLevel level) { logger().set_level(to_spdlog(level)); }

void log_line(LogLevel level, std::string_view message) {
  logger().log(to_spdlog(level), spdlog::string_view_t(message.data(), message.size()));
}

bool warn_once(std::string_view key, std::string_view message) {
  static auto& mutex = *new std::mutex;
  static auto& seen = *new std::set<std::string, std::less<>>;
  {
    std::lock_guard lock(mutex);
    if (!seen.emplace(key).second) return false;
  }
  log_line(LogLevel::warning, message);
  return true;
}

}  // namespace jitney
