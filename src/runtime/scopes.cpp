// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include <jitney/scopes.h>

#include <algorithm>

#include "util/log.h"

namespace jitney {

RuntimeConfigScope::RuntimeConfigScope(std::span<Session* const> sessions, const RuntimeSettingsOverrides& overrides) {
  added_.reserve(sessions.size());
  for (Session* session : sessions)
    if (std::ranges::none_of(added_, [&](const auto& a) { return a.first == session; }))
      added_.emplace_back(session, session->add_overrides(overrides));
}

RuntimeConfigScope::RuntimeConfigScope(Session& session, const RuntimeSettingsOverrides& overrides)
    : RuntimeConfigScope(std::vector<Session*>{&session}, overrides) {}

RuntimeConfigScope::~RuntimeConfigScope() {
  for (auto a = added_.rbegin(); a != added_.rend(); ++a) a->first->remove_overrides(a->second);
}

OptimizationProfileScope::OptimizationProfileScope(std::span<Session* const> sessions, int profile) {
  added_.reserve(sessions.size());
  try {
    for (Session* session : sessions)
      if (std::ranges::none_of(added_, [&](const auto& a) { return a.first == session; }))
        added_.emplace_back(session, session->add_optimization_profile(profile));
  } catch (const Error&) {
    remove();
    throw;
  }
}

OptimizationProfileScope::OptimizationProfileScope(Session& session, int profile)
    : OptimizationProfileScope(std::vector<Session*>{&session}, profile) {}

OptimizationProfileScope::~OptimizationProfileScope() { remove(); }

void OptimizationProfileScope::remove() {
  for (auto a = added_.rbegin(); a != added_.rend(); ++a) a->first->remove_optimization_profile(a->second);
}

ResourceAllocationScope::ResourceAllocationScope(std::span<Session* const> sessions,
                                                 ResourceAllocationStrategy strategy) {
  added_.reserve(sessions.size());
  for (Session* session : sessions)
    if (std::ranges::none_of(added_, [&](const auto& a) { return a.first == session; }))
      added_.emplace_back(session, session->add_resource_allocation_strategy(strategy));
}

ResourceAllocationScope::ResourceAllocationScope(Session& session, ResourceAllocationStrategy strategy)
    : ResourceAllocationScope(std::vector<Session*>{&session}, strategy) {}

ResourceAllocationScope::~ResourceAllocationScope() {
  for (auto a = added_.rbegin(); a != added_.rend(); ++a) a->first->remove_resource_allocation_strategy(a->second);
}

RuntimeCacheScope::RuntimeCacheScope(std::span<Session* const> sessions, const std::string& path, bool autosave)
    : autosave_(autosave) {
  if (sessions.empty()) throw Error(ErrorKind::user, "a runtime cache scope requires at least one engine, found none");
  handle_ = RuntimeCache::scoped(path, autosave);
  config_ = std::make_unique<RuntimeConfigScope>(sessions, RuntimeSettingsOverrides{.runtime_cache = handle_});
}

RuntimeCacheScope::RuntimeCacheScope(Session& session, const std::string& path, bool autosave)
    : RuntimeCacheScope(std::vector<Session*>{&session}, path, autosave) {}

RuntimeCacheScope::~RuntimeCacheScope() {
  config_.reset();
  if (!autosave_) return;
  try {
    handle_->save();
  } catch (const std::exception& e) {
    log_warning("a runtime cache scope did not save its cache: {}", e.what());
  }
}

}  // namespace jitney
