// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "backend/plugin.h"

#include <dlfcn.h>

#include "backend/openmp_waiting.h"

namespace jitney::backend {
namespace {

/// Everything that is checked before any of the plugin's functions is called.
Status check_versions(std::string_view name, const std::string& file, const PluginEntry* entry) {
  if (entry == nullptr) {
    return environment_error("'{}' is not a Jitney backend: it does not define 'jitney_backend_plugin'", file);
  }
  // The ABI version comes first in the entry: nothing behind it may be read before it agrees.
  if (entry->abi_version != kBackendAbiVersion) {
    return environment_error(
        "the '{}' backend in '{}' was built for version {} of the backend interface, this Jitney has version {}", name,
        file, entry->abi_version, kBackendAbiVersion);
  }
  const std::string_view built = entry->build_version == nullptr ? "unknown" : entry->build_version;
  if (built != JITNEY_VERSION) {
    return environment_error("the '{}' backend in '{}' was built with Jitney {}, this is Jitney {}", name, file, built,
                             JITNEY_VERSION);
  }
  return {};
}

Expected<Backend*> make_backend(std::string_view name, const std::string& file, void* library) {
  const auto* entry = static_cast<const PluginEntry*>(dlsym(library, "jitney_backend_plugin"));
  JITNEY_CHECK(check_versions(name, file, entry));
  Backend* backend = entry->create == nullptr ? nullptr : entry->create();
  if (backend == nullptr) return environment_error("the '{}' backend in '{}' could not be started", name, file);
  if (backend->name() != name) {
    return environment_error("'{}' holds the backend '{}' where '{}' belongs", file, backend->name(), name);
  }
  return backend;
}

}  // namespace

Expected<Plugin> load_plugin(std::string_view name, const std::string& file) {
  const ShortWaits short_waits;
  void* library = dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    const char* why = dlerror();
    return environment_error("cannot load the '{}' backend from '{}': {}", name, file,
                             why == nullptr ? "unknown" : why);
  }
  auto backend = make_backend(name, file, library);
  if (!backend) {
    dlclose(library);
    return tl::unexpected(std::move(backend).error());
  }
  return Plugin{*backend, library};
}

}  // namespace jitney::backend
