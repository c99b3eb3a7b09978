// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace jitney {

/// Paths in text are UTF-8 on every system; on Unix these are the same bytes, UTF-8 or not. Thread-safe.
inline std::filesystem::path path_from_text(std::string_view text) {
  return {std::u8string_view(reinterpret_cast<const char8_t*>(text.data()), text.size())};
}
inline std::string path_text(const std::filesystem::path& path) {
  const std::u8string text = path.u8string();
  return {text.begin(), text.end()};
}

}  // namespace jitney
