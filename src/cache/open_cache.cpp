// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "cache/autosave.h"
#include "cache/handle.h"
#include "util/log.h"
#include "util/paths.h"

namespace jitney::cache {

std::shared_ptr<RuntimeCache> make_memory_cache() { return Handle::make({}); }

std::shared_ptr<RuntimeCache> open_store(const std::string& directory) {
  auto handle = Handle::make({.path = directory, .form = Form::store});
  (void)handle->store();
  return handle;
}

std::shared_ptr<RuntimeCache> open_cache(const std::string& setting) {
  if (setting == "none") return make_memory_cache();
  if (setting.empty()) {
    if (const auto directory = default_cache_directory()) return open_store(*directory);
    auto handle = Handle::make({.path = "per-user default", .form = Form::store});
    handle->refuse("there is no home folder, or the program is setuid");
    return handle;
  }
  if (form_of(setting) == Form::store) return open_store(setting);
  auto handle = Handle::make({.path = setting, .form = Form::packed, .shared = true});
  if (const Status loaded = handle->load(std::nullopt); !loaded) log_warning("{}", loaded.error().message);
  // Saved when the last context that uses it is gone, or at exit.
  return autosaving(std::move(handle));
}

}  // namespace jitney::cache
