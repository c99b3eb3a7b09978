// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <jitney/engine.h>
#include <jitney/export.h>
#include <jitney/runtime_cache.h>
#include <jitney/runtime_settings.h>
#include <jitney/session.h>

/// Objects of this process by number or name, for code that cannot hand them over itself: an engine inside a package
/// that another library has loaded, a cache that one binding made and another uses. The tables keep nothing alive. All
/// functions are thread-safe.
namespace jitney {

/// A session that somebody made known.
struct RegisteredSession {
  std::uint64_t id = 0;
  std::string name;
  std::shared_ptr<Session> session;
};

/// Gives a number above 0 that no other session of this process had; the same one for the same session. Names need not
/// differ.
JITNEY_EXPORT std::uint64_t register_session(const std::shared_ptr<Session>& session, std::string name);
/// Null for a number that was never given, or whose session has gone.
JITNEY_EXPORT std::shared_ptr<Session> find_session(std::uint64_t id);
/// Those that live, oldest first; all of them where `name` is empty.
JITNEY_EXPORT std::vector<RegisteredSession> registered_sessions(std::string_view name = {});
/// Sets the runtime settings of every living session of that name, or of all where it is empty, for their next runs.
/// How many there were.
JITNEY_EXPORT int apply_runtime_settings(std::string_view name, const RuntimeSettings& settings);

/// Where sessions without a SessionOptions::warn tell what concerns whoever wrote the program; empty, which it is at
/// first, is the log. Called in the thread that runs; what it throws ends that run.
JITNEY_EXPORT void set_warning_sink(std::function<void(const std::string&)> sink);
/// Calls it.
JITNEY_EXPORT void warn(const std::string& text);

/// As sessions, engines: for who made one and has another library run it. Copies of an engine have one number, and keep
/// it known.
JITNEY_EXPORT std::uint64_t register_engine(const Engine& engine);
/// Throws Error(user) for a number that was never given, or whose engine has gone.
JITNEY_EXPORT Engine find_engine(std::uint64_t id);

/// As sessions, caches.
JITNEY_EXPORT std::uint64_t register_runtime_cache(const std::shared_ptr<RuntimeCache>& cache);
JITNEY_EXPORT std::shared_ptr<RuntimeCache> find_runtime_cache(std::uint64_t id);

}  // namespace jitney
