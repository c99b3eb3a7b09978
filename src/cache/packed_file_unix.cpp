// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#if !defined(_WIN32)
#include "cache/packed_file.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "cache/orphans.h"
#include "cache/packed_disk.h"
#include "cache/place.h"
#include "util/file.h"
#include "util/file_lock.h"
#include "util/log.h"

namespace jitney::cache {
namespace {

using Bytes = std::vector<std::byte>;

struct Location {
  std::shared_ptr<const Place> folder;  ///< null: missing
  std::string name;
};

Expected<Location> locate(const std::string& path, bool make) {
  const auto slash = path.rfind('/');
  Location at;
  at.name = path.substr(slash == std::string::npos ? 0 : slash + 1);
  if (at.name.empty() || at.name == "." || at.name == ".." || at.name.find('\0') != std::string::npos)
    return user_error("'{}' names no file", path);
  const std::string folder = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  JITNEY_TRY(at.folder, open_place(folder, {.make = make, .shared = true}));
  return at;
}

/// The file's bytes, a private copy; nothing when it is missing.
Expected<std::optional<Bytes>> read(const Location& at, const std::string& path) {
  const auto file = open_regular(at.folder->dir.get(), at.name.c_str(), false);
  if (!file) {
    if (file.error() == ENOENT) return std::optional<Bytes>();
    if (file.error() == ELOOP) return user_error("the cache '{}' is a symbolic link; name the file itself", path);
    if (file.error() == EINVAL || file.error() == EISDIR) return user_error("'{}' is not a regular file", path);
    return environment_error("cannot open the cache '{}': {}", path, errno_text(file.error()));
  }
  JITNEY_CHECK(check_trusted(file->get(), path));
  auto bytes = read_all(file->get(), kMaxPackBytes);
  if (!bytes) return environment_error("cannot read the cache '{}': {}", path, errno_text(bytes.error()));
  return std::optional(std::move(*bytes));
}

}  // namespace

Expected<PackedReport> rewrite_packed(const std::string& path, PackRows rows, const PackedOptions& options) {
  JITNEY_TRY(const Location at, locate(path, true));
  const auto lock =
      FileLock::acquire_at(at.folder->dir.get(), at.name + ".lock", packed_lock(FileLock::Mode::exclusive, options));
  if (!lock) return environment_error("the cache '{}' is not saved: {}", path, lock.error().message);
  remove_orphans(*at.folder, std::chrono::system_clock::now());
  JITNEY_TRY(const auto before, read(at, path));
  PackedReport report;
  JITNEY_TRY(const auto bytes, merge_pack(path, std::move(rows), before, options, report));
  if (!bytes) return report;
  JITNEY_TRY(auto file, AtomicFile::create(at.folder->dir.get(), at.name, {.durable = options.durable, .mode = 0600}));
  JITNEY_CHECK(file.write(*bytes));
  JITNEY_CHECK(file.commit());
  report.written = true;
  return report;
}

Expected<PackedReport> load_packed(const std::string& path, EntryTable& table, const PackedOptions& options) {
  JITNEY_TRY(const Location at, locate(path, false));
  if (!at.folder) return PackedReport();
  std::optional<Bytes> bytes;
  {
    struct stat status{};
    if (fstatat(at.folder->dir.get(), at.name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0 && errno == ENOENT)
      return PackedReport();
    const auto lock =
        FileLock::acquire_at(at.folder->dir.get(), at.name + ".lock", packed_lock(FileLock::Mode::shared, options));
    if (!lock && lock.error().fault == LockFailure::Fault::timeout)
      return environment_error("the cache '{}' is not loaded: {}", path, lock.error().message);
    // Without a lock the file is whole all the same, since it appears by rename.
    if (!lock) log_debug("the cache '{}' is read without a lock: {}", path, lock.error().message);
    JITNEY_TRY(bytes, read(at, path));
  }
  if (!bytes) return PackedReport();
  return add_pack(path, *bytes, table, options);
}

Expected<PackedReport> prune_packed(const std::string& path, const PackedOptions& options) {
  JITNEY_TRY(const Location at, locate(path, false));
  if (!at.folder) return PackedReport();
  return rewrite_packed(path, {}, options);
}

}  // namespace jitney::cache
#endif
