// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

namespace jitney {

/// A setting outside of scopes, and the scopes that live, which may end in any order: the newest counts. Not
/// thread-safe.
template <class T>
struct Stacked {
  T base;
  std::vector<std::pair<std::uint64_t, T>> scopes{};
  std::uint64_t last_id = 0;

  T top() const { return scopes.empty() ? base : scopes.back().second; }
  std::uint64_t add(T value) { return scopes.emplace_back(++last_id, value).first; }
  void remove(std::uint64_t id) {
    std::erase_if(scopes, [&](const auto& scope) { return scope.first == id; });
  }
};

}  // namespace jitney
