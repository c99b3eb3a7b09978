// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "cache/shared.h"

#include <filesystem>
#include <mutex>
#include <unordered_map>

#include "util/path_text.h"

namespace jitney::cache {

std::string canonical_path(const std::string& path) {
  std::error_code error;
  auto canonical = std::filesystem::weakly_canonical(path_from_text(path), error);
  if (error) canonical = std::filesystem::absolute(path_from_text(path), error).lexically_normal();
  std::string text = path_text(canonical);
  while (text.size() > 1 && text.back() == '/') text.pop_back();
  return text.empty() ? path : text;
}

std::shared_ptr<EntryTable> shared_table(const std::string& path) {
  static std::mutex mutex;
  static auto& tables = *new std::unordered_map<std::string, std::weak_ptr<EntryTable>>;
  std::lock_guard lock(mutex);
  std::erase_if(tables, [](const auto& entry) { return entry.second.expired(); });
  auto& known = tables[canonical_path(path)];
  auto table = known.lock();
  if (!table) known = table = std::make_shared<EntryTable>();
  return table;
}

}  // namespace jitney::cache
