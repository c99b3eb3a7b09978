// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "cache/autosave.h"

#include <jitney/runtime_cache.h>

#include <cstdlib>
#include <mutex>
#include <new>
#include <vector>

namespace jitney::cache {
namespace {

struct Living {
  std::mutex mutex;
  std::vector<std::weak_ptr<Handle>> handles;
};

/// Never destroyed: other static objects may own caches.
Living& living() {
  static auto& instance = *new Living;
  return instance;
}

void save_all() noexcept {
  try {
    std::vector<std::weak_ptr<Handle>> handles;
    {
      const std::unique_lock lock(living().mutex, std::try_to_lock);
      if (!lock) return;  // a fork's child, whose parent was just busy here
      handles = living().handles;
    }
    for (const auto& weak : handles) {
      if (const auto handle = weak.lock()) handle->autosave();
    }
  } catch (const std::bad_alloc&) {
    // Best effort.
  }
}

}  // namespace

void autosave_at_exit(const std::shared_ptr<Handle>& handle) {
  static const bool registered = std::atexit(save_all) == 0;
  (void)registered;
  std::lock_guard lock(living().mutex);
  std::erase_if(living().handles, [](const auto& weak) { return weak.expired(); });
  living().handles.push_back(handle);
}

std::shared_ptr<RuntimeCache> autosaving(std::shared_ptr<Handle> handle) {
  autosave_at_exit(handle);
  Handle* const raw = handle.get();
  return std::shared_ptr<RuntimeCache>(raw, [keep = std::move(handle)](RuntimeCache*) mutable {
    keep->autosave();
    keep.reset();
  });
}

}  // namespace jitney::cache

namespace jitney {

void autosave_runtime_caches() noexcept { cache::save_all(); }

}  // namespace jitney
