// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "backend/backend.h"

namespace jitney::backend {

/// A backend and the library it came from, which is never closed: its code may run until the process ends.
struct Plugin {
  Backend* backend = nullptr;
  void* library = nullptr;  ///< for dlsym
};

/// Opens the shared library `file` and makes its backend. Error(environment) when it cannot be opened, is no backend,
/// was built for another seam or another Jitney (both versions are named), or calls itself something else than `name`.
/// A library that is refused is closed again. Thread-safe; the caller sees to it that a plugin is loaded once.
Expected<Plugin> load_plugin(std::string_view name, const std::string& file);

}  // namespace jitney::backend
