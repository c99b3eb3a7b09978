// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "backend/registry.h"

#include <dlfcn.h>
#include <fmt/ranges.h>

#include <array>
#include <filesystem>
#include <mutex>

#include "backend/plugin.h"
#include "util/env.h"
#include "util/paths.h"

// Where libraries are installed, relative to the prefix; set by CMakeLists.txt.
#ifndef JITNEY_LIBDIR
#define JITNEY_LIBDIR "lib"
#endif

namespace jitney::backend {
namespace {

namespace fs = std::filesystem;

constexpr BackendRow kTable[] = {
    {"cpu", "jitney-backend-cpu.so", "this machine's processor; kernels compiled by Clang"},
    {"cuda", "jitney-backend-cuda.so", "NVIDIA GPUs; kernels compiled by NVRTC"},
    {"null", "jitney-backend-null.so", "computes nothing; for tests and for measuring everything but kernels"},
};

/// What was loaded, by row. Never destroyed: backends live as long as the process.
struct Loaded {
  std::mutex mutex;
  std::array<Plugin, std::size(kTable)> plugins;
};
Loaded& loaded() {
  static auto* instance = new Loaded;
  return *instance;
}

Expected<Plugin> load(std::string_view name) {
  for (std::size_t row = 0; row < std::size(kTable); ++row) {
    if (kTable[row].name != name) continue;
    std::lock_guard lock(loaded().mutex);
    Plugin& plugin = loaded().plugins[row];
    if (plugin.backend == nullptr) {
      JITNEY_TRY(const auto file, find_plugin(kTable[row], plugin_directories()));
      JITNEY_TRY(plugin, load_plugin(name, file));
    }
    return plugin;
  }
  std::vector<std::string_view> names;
  for (const auto& row : kTable) names.push_back(row.name);
  return user_error("there is no backend '{}'; allowed are {}", name, fmt::join(names, ", "));
}

}  // namespace

std::span<const BackendRow> backend_table() { return kTable; }

Expected<Backend*> load_backend(std::string_view name) {
  JITNEY_TRY(const auto plugin, load(name));
  return plugin.backend;
}

std::vector<BackendStatus> available_backends() {
  std::vector<BackendStatus> result;
  for (const auto& row : kTable) {
    const auto backend = load_backend(row.name);
    result.push_back({std::string(row.name), std::string(row.doc), backend ? *backend : nullptr,
                      backend ? "" : backend.error().message});
  }
  return result;
}

std::vector<std::string> plugin_directories() {
  std::vector<std::string> result;
  if (const auto path = env_path("JITNEY_BACKEND_PATH")) {
    for (std::size_t begin = 0; begin <= path->size();) {
      const auto end = std::min(path->find(':', begin), path->size());
      if (end > begin) result.push_back(path->substr(begin, end - begin));
      begin = end + 1;
    }
  }
  // Beside the library; or, where this code is part of a program in bin, in the library folder next to bin.
  const fs::path here = fs::path(library_path()).parent_path();
  for (const auto& folder : {here / "jitney", here.parent_path() / JITNEY_LIBDIR / "jitney"}) {
    std::error_code ignored;
    if (fs::is_directory(folder, ignored)) result.push_back(folder.string());
  }
  if (result.empty()) result.push_back((here / "jitney").string());
  return result;
}

Expected<std::string> find_plugin(const BackendRow& row, const std::vector<std::string>& directories) {
  for (const auto& directory : directories) {
    auto file = (fs::path(directory) / row.file).string();
    std::error_code ignored;
    if (fs::exists(file, ignored)) return file;
  }
  return environment_error("the '{}' backend is not installed: there is no {} in {}", row.name, row.file,
                           fmt::join(directories, ", "));
}

Expected<void*> backend_symbol(std::string_view name, const char* symbol) {
  JITNEY_TRY(const auto plugin, load(name));
  void* address = dlsym(plugin.library, symbol);
  if (address == nullptr) return internal_error("the '{}' backend exports no '{}'", name, symbol);
  return address;
}

}  // namespace jitney::backend
