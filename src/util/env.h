// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>

#include "util/expected.h"

/// Reading the environment. Safe from many threads as long as nobody calls setenv meanwhile.
namespace jitney {

/// The variable's value; nothing when it is unset or empty.
std::optional<std::string> env_string(const char* name);

/// The same for a variable that names a file or a program: nothing as well in a setuid or setgid process, where the
/// environment is the caller's and must not steer what is read, written or started.
std::optional<std::string> env_path(const char* name);

/// A decimal integer; nothing when unset or empty. Error(user) when it is no integer or lies outside [lowest, highest].
Expected<std::optional<std::int64_t>> env_int(const char* name, std::int64_t lowest = 0,
                                              std::int64_t highest = std::numeric_limits<std::int64_t>::max());

/// Whether the process gained privileges when it was started (AT_SECURE).
bool is_privileged_start();

}  // namespace jitney
