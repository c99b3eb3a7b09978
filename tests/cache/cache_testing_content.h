// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "cache/key.h"

namespace jitney::cache::testing {

inline Key key_of(const std::string& source) { return Key().add("source", source).add("target", "x86-64-v3"); }

/// What a key's blob must be: wrong bytes show, whoever wrote them. About 10 KB, half of it hard to compress.
inline std::string content_of(const std::string& source) {
  std::string text = "blob of " + source + ":";
  std::uint32_t state = 2166136261u;
  for (char c : source) state = (state ^ static_cast<unsigned char>(c)) * 16777619u;
  while (text.size() < 5000) text += static_cast<char>((state = state * 1664525u + 1013904223u) >> 24);
  return text + std::string(5000, 'z');
}

}  // namespace jitney::cache::testing
