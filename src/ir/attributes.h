// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fmt/format.h>

#include <stdexcept>
#include <string_view>

#include "ir/graph.h"

namespace jitney::ir {

/// An attribute that must be there, with that type. Whoever builds nodes must get this right, so a mistake is a bug
/// and throws std::logic_error; verify() finds it first, and says it politely.
template <class T>
const T& attribute(const Attributes& attributes, Op op, std::string_view node_name, std::string_view key) {
  const auto found = attributes.find(key);
  if (found == attributes.end()) {
    throw std::logic_error(fmt::format("{} node '{}' has no attribute '{}'", info(op).name, node_name, key));
  }
  const T* value = std::get_if<T>(&found->second);
  if (value == nullptr) {
    throw std::logic_error(
        fmt::format("attribute '{}' of {} node '{}' has another type than asked", key, info(op).name, node_name));
  }
  return *value;
}

}  // namespace jitney::ir
