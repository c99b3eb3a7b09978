// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#if defined(_WIN32)
#include <filesystem>

#include "cache/pack_merge.h"
#include "cache/packed_file.h"
#include "util/file_lock.h"
#include "util/log.h"
#include "util/windows_file.h"

namespace jitney::cache {
namespace {

FileLock::Options lock_options(FileLock::Mode mode, const PackedOptions& options) {
  return {.mode = mode, .timeout = options.timeout, .poll = options.poll};
}

Expected<PackedReport> rewrite(const std::string& path, PackRows rows, const PackedOptions& options) {
  std::error_code error;
  const auto folder = std::filesystem::path(path).parent_path();
  if (!folder.empty()) std::filesystem::create_directories(folder, error);
  const auto lock = FileLock::acquire(path + ".lock", lock_options(FileLock::Mode::exclusive, options));
  if (!lock) return environment_error("the cache '{}' is not saved: {}", path, lock.error().message);
  JITNEY_TRY(const auto before, windows::read_if_there(path, kMaxPackBytes));
  PackedReport report;
  JITNEY_TRY(const auto bytes, merge_pack(path, std::move(rows), before, options, report));
  if (!bytes) return report;
  JITNEY_CHECK(windows::replace(path, *bytes, options.durable));
  report.written = true;
  return report;
}

}  // namespace

Expected<PackedReport> load_packed(const std::string& path, EntryTable& table, const PackedOptions& options) {
  std::error_code error;
  if (!std::filesystem::exists(path, error)) return PackedReport();
  std::optional<std::vector<std::byte>> bytes;
  {
    const auto lock = FileLock::acquire(path + ".lock", lock_options(FileLock::Mode::shared, options));
    if (!lock && lock.error().fault == LockFailure::Fault::timeout)
      return environment_error("the cache '{}' is not loaded: {}", path, lock.error().message);
    JITNEY_TRY(bytes, windows::read_if_there(path, kMaxPackBytes));
  }
  if (!bytes) return PackedReport();
  return add_pack(path, *bytes, table, options);
}

Expected<PackedReport> save_packed(const std::string& path, EntryTable& table, const PackedOptions& options) {
  const auto items = table.items();
  if (items.empty()) return PackedReport();
  JITNEY_TRY(auto rows, rows_of(table, items, options.signer));
  return rewrite(path, std::move(rows), options);
}

Expected<PackedReport> prune_packed(const std::string& path, const PackedOptions& options) {
  std::error_code error;
  if (!std::filesystem::exists(path, error)) return PackedReport();
  return rewrite(path, {}, options);
}

}  // namespace jitney::cache
#endif
