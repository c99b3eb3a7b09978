// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "backend/backend.h"

/// Which backends there are, where their plugins lie, and loading them by name. All functions are thread-safe.
namespace jitney::backend {

/// One backend that Jitney knows. To add one: write its plugin, and one row in registry.cpp.
struct BackendRow {
  std::string_view name;  ///< as in --device
  std::string_view file;  ///< name of the plugin's file
  std::string_view doc;   ///< one line for people
};
std::span<const BackendRow> backend_table();

/// The backend of that name, loaded on the first call and the same object ever after. Error(user) for a name that is
/// not in the table; Error(environment) when its plugin is not installed or cannot be loaded, and the next call tries
/// again.
Expected<Backend*> load_backend(std::string_view name);

/// A row and how it stands with its plugin. Loads every plugin.
struct BackendStatus {
  std::string name, doc;
  Backend* backend = nullptr;  ///< null when it is not there
  std::string problem;         ///< why not; "" when it is there
};
std::vector<BackendStatus> available_backends();

/// Where plugins are looked for, in order: the folders in JITNEY_BACKEND_PATH (separated by colons; ignored in a
/// setuid process), then the one that belongs to this installation or build tree, found from where this code lies.
std::vector<std::string> plugin_directories();

/// Path of the first file of that name in the folders. Error(environment) names the folders.
Expected<std::string> find_plugin(const BackendRow& row, const std::vector<std::string>& directories);

/// Address of something that a backend's plugin exports beside its entry, for tests (see null/null_hooks.h). Loads
/// the backend. Error(internal) when there is no such symbol.
Expected<void*> backend_symbol(std::string_view name, const char* symbol);

}  // namespace jitney::backend
