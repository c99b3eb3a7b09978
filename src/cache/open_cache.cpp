// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "cache/memory_cache.h"
#include "cache/place.h"
#include "cache/store.h"
#include "util/log.h"
#include "util/paths.h"

namespace jitney::cache {
namespace {

std::shared_ptr<RuntimeCache> refuse(const std::string& place, const std::string& reason) {
  warn_once("cache-refused:" + place,
            fmt::format("the cache '{}' is not used, compiled kernels are kept in memory only: {}", place, reason));
  return std::make_shared<MemoryCache>(fmt::format("{}: {}", place, reason));
}

}  // namespace

std::shared_ptr<RuntimeCache> open_store(const std::string& directory, Store::Options options) {
  auto place = open_place(directory);
  if (!place) return refuse(directory, place.error().message);
  return std::make_shared<Store>(std::move(*place), std::move(options));
}

std::shared_ptr<RuntimeCache> open_store(const std::string& directory) {
  return open_store(directory, Store::Options());
}

std::shared_ptr<RuntimeCache> open_cache(const std::string& setting) {
  if (setting == "none") return make_memory_cache();
  if (!setting.empty()) return open_store(setting);
  if (const auto directory = default_cache_directory()) return open_store(*directory);
  return refuse("per-user default", "there is no home folder, or the program is setuid");
}

}  // namespace jitney::cache
