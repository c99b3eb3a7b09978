// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

namespace jitney {

/// Absolute path of the running program; "" when it cannot be told.
std::string executable_path();

/// Absolute path, symlinks resolved, of the shared library (or program) that holds this code; "" when it cannot be
/// told. Programs and plugins of this installation are found relative to it.
std::string library_path();

/// $HOME, else the password database; nothing when neither has an absolute path. In a setuid process $HOME is ignored.
std::optional<std::string> home_directory();

/// Where the per-user cache goes: JITNEY_CACHE_DIR, else XDG_CACHE_HOME/jitney (absolute paths only, as the XDG
/// specification says), else ~/.cache/jitney. Nothing when there is no home, and in a setuid process: native code is
/// not loaded from a place that the environment names.
std::optional<std::string> default_cache_directory();

}  // namespace jitney
