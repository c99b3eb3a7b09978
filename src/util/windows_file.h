// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#if defined(_WIN32)
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "util/expected.h"

/// Whole files on Windows. Paths are UTF-8. Thread-safe.
namespace jitney::windows {

/// UTF-16 for the system's functions.
std::wstring wide(const std::string& text);

/// The file's bytes, a private copy; nothing when it is missing. Error(environment) when it is larger than `limit`.
Expected<std::optional<std::vector<std::byte>>> read_if_there(const std::string& path, std::size_t limit);

/// Writes beside the target, then takes its place: whole or not at all. On failure nothing is left.
Status replace(const std::string& path, std::span<const std::byte> bytes, bool durable);

}  // namespace jitney::windows
#endif
