// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include <jitney/scopes.h>

#include <algorithm>

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

}  // namespace jitney
