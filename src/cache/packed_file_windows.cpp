// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#if defined(_WIN32)
#include <filesystem>

#include "cache/orphans.h"
#include "cache/packed_disk.h"
#include "cache/packed_file.h"
#include "util/file_lock.h"
#include "util/log.h"
#include "util/path_text.h"
#include "util/windows_file.h"

namespace jitney::cache {

Expected<PackedReport> rewrite_packed(const std::string& path, PackRows rows, const PackedOptions& options) {
  std::error_code error;
  const auto folder = path_from_text(path).parent_path();
  if (!folder.empty()) std::filesystem::create_directories(folder, error);
  const auto lock = FileLock::acquire(path + ".lock", packed_lock(FileLock::Mode::exclusive, options));
  if (!lock) return environment_error("the cache '{}' is not saved: {}", path, lock.error().message);
  Place place;
  place.path = folder.empty() ? "." : path_text(folder);
  remove_orphans(place, std::chrono::system_clock::now());
  JITNEY_TRY(const auto before, windows::read_if_there(path, kMaxPackBytes));
  PackedReport report;
  JITNEY_TRY(const auto bytes, merge_pack(path, std::move(rows), before, options, report));
  if (!bytes) return report;
  JITNEY_CHECK(windows::replace(path, *bytes, options.durable));
  report.written = true;
  return report;
}

Expected<PackedReport> load_packed(const std::string& path, EntryTable& table, const PackedOptions& options) {
  std::error_code error;
  if (!std::filesystem::exists(path_from_text(path), error)) return PackedReport();
  std::optional<std::vector<std::byte>> bytes;
  {
    const auto lock = FileLock::acquire(path + ".lock", packed_lock(FileLock::Mode::shared, options));
    if (!lock && lock.error().fault == LockFailure::Fault::timeout)
      return environment_error("the cache '{}' is not loaded: {}", path, lock.error().message);
    JITNEY_TRY(bytes, windows::read_if_there(path, kMaxPackBytes));
  }
  if (!bytes) return PackedReport();
  return add_pack(path, *bytes, table, options);
}

Expected<PackedReport> prune_packed(const std::string& path, const PackedOptions& options) {
  std::error_code error;
  if (!std::filesystem::exists(path_from_text(path), error)) return PackedReport();
  return rewrite_packed(path, {}, options);
}

}  // namespace jitney::cache
#endif
