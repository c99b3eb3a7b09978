// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "cache/packed_file.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <map>

#include "cache/orphans.h"
#include "cache/pack.h"
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

Status check_kind(const PackContents& contents, const std::string& path) {
  if (contents.kind == PackContents::Kind::foreign)
    return user_error("'{}' is not a cache of Jitney's, and is left as it is", path);
  if (contents.kind == PackContents::Kind::newer)
    return user_error("the cache '{}' was written in a format that this Jitney does not know, and is left as it is",
                      path);
  return {};
}

FileLock::Options lock_options(FileLock::Mode mode, const PackedOptions& options) {
  return {.mode = mode, .timeout = options.timeout, .poll = options.poll};
}

/// One entry of what will be written.
struct Row {
  std::span<const std::byte> bytes;
  std::uint64_t used = 0;
  bool in_use = false;
  EntryTable::Packed owner;
};
using Rows = std::map<std::string_view, Row>;

/// Takes rows out until the rest fits. Rows in use stay.
std::uint64_t evict(Rows& rows, std::uint64_t max_bytes) {
  std::uint64_t total = kPackHeadBytes;
  std::vector<std::pair<std::uint64_t, std::string_view>> oldest;
  const std::uint64_t now = now_seconds();
  for (const auto& [key, row] : rows) {
    total += kFrameHeadBytes + row.bytes.size();
    if (!row.in_use) oldest.emplace_back(std::min(row.used, now), key);
  }
  std::ranges::sort(oldest);
  std::uint64_t evicted = 0;
  for (const auto& [used, key] : oldest) {
    if (total <= max_bytes) break;
    const auto found = rows.find(key);
    total -= kFrameHeadBytes + found->second.bytes.size();
    rows.erase(found);
    ++evicted;
  }
  return evicted;
}

Expected<std::uint64_t> write(const Location& at, const Rows& rows, const PackContents& contents, bool durable) {
  std::size_t size = kPackHeadBytes;
  for (const auto& [key, row] : rows) size += kFrameHeadBytes + row.bytes.size();
  PackWriter writer;
  writer.reserve(size);
  for (const auto& [key, row] : rows) writer.add(row.bytes, row.used);
  for (const auto& frame : contents.unknown) writer.add_frame(frame);
  const Bytes bytes = writer.take();
  JITNEY_TRY(auto file, AtomicFile::create(at.folder->dir.get(), at.name, {.durable = durable, .mode = 0600}));
  JITNEY_CHECK(file.write(bytes));
  JITNEY_CHECK(file.commit());
  return bytes.size();
}

/// The rows of the table, each packed.
Expected<Rows> rows_of(EntryTable& table, const std::vector<EntryTable::Item>& items, const Hmac* signer) {
  Rows rows;
  for (const auto& item : items) {
    JITNEY_TRY(auto packed, table.packed(item, signer));
    rows.emplace(item.key, Row{*packed, item.used, true, packed});
  }
  return rows;
}

/// The file's entries join; true when the file lacks something that the rows have.
bool join(Rows& rows, const PackContents& contents) {
  std::size_t known = 0;
  bool newer_use = false;
  const std::size_t own = rows.size();
  for (const auto& item : contents.items) {
    const auto [row, is_new] = rows.try_emplace(item.entry.key, Row{item.bytes, item.used, false, nullptr});
    if (is_new) continue;
    ++known;
    newer_use = newer_use || row->second.used > item.used;
    row->second.used = std::max(row->second.used, item.used);
  }
  return known != own || newer_use;
}

Expected<PackedReport> rewrite(const std::string& path, Rows rows, const PackedOptions& options) {
  JITNEY_TRY(const Location at, locate(path, true));
  const auto lock =
      FileLock::acquire_at(at.folder->dir.get(), at.name + ".lock", lock_options(FileLock::Mode::exclusive, options));
  if (!lock) return environment_error("the cache '{}' is not saved: {}", path, lock.error().message);
  remove_orphans(at.folder->dir.get(), std::chrono::system_clock::now());
  JITNEY_TRY(const auto bytes, read(at, path));
  const PackContents contents = bytes ? read_pack(*bytes, options.signer) : PackContents();
  PackedReport report{.found = bytes.has_value(), .damaged = contents.damaged};
  report.unauthenticated = contents.unauthenticated;
  if (bytes) JITNEY_CHECK(check_kind(contents, path));
  const bool is_missing = join(rows, contents) || !bytes;
  report.evicted = evict(rows, options.max_bytes);
  if (!is_missing && report.evicted == 0 && contents.damaged == 0 && contents.unauthenticated == 0) {
    report.bytes = bytes->size();
    return report;
  }
  report.added = rows.size() - std::min(rows.size(), contents.items.size());
  if (rows.empty() && !bytes) return report;
  JITNEY_TRY(report.bytes, write(at, rows, contents, options.durable));
  report.written = true;
  return report;
}

}  // namespace

Expected<PackedReport> load_packed(const std::string& path, EntryTable& table, const PackedOptions& options) {
  JITNEY_TRY(const Location at, locate(path, false));
  if (!at.folder) return PackedReport();
  std::optional<Bytes> bytes;
  {
    struct stat status{};
    if (fstatat(at.folder->dir.get(), at.name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0 && errno == ENOENT)
      return PackedReport();
    const auto lock =
        FileLock::acquire_at(at.folder->dir.get(), at.name + ".lock", lock_options(FileLock::Mode::shared, options));
    if (!lock && lock.error().fault == LockFailure::Fault::timeout)
      return environment_error("the cache '{}' is not loaded: {}", path, lock.error().message);
    // Without a lock the file is whole all the same, since it appears by rename.
    if (!lock) log_debug("the cache '{}' is read without a lock: {}", path, lock.error().message);
    JITNEY_TRY(bytes, read(at, path));
  }
  if (!bytes) return PackedReport();
  const PackContents contents = read_pack(*bytes, options.signer);
  JITNEY_CHECK(check_kind(contents, path));
  PackedReport report{.found = true, .damaged = contents.damaged};
  report.unauthenticated = contents.unauthenticated;
  report.bytes = bytes->size();
  for (const auto& item : contents.items) report.added += table.insert_packed(item.entry.key, item.bytes, item.used);
  if (report.damaged != 0)
    log_info("{} damaged entries of the cache '{}' are not used; the next save replaces them", report.damaged, path);
  return report;
}

Expected<PackedReport> save_packed(const std::string& path, EntryTable& table, const PackedOptions& options) {
  const auto items = table.items();
  if (items.empty()) return PackedReport();
  JITNEY_TRY(auto rows, rows_of(table, items, options.signer));
  return rewrite(path, std::move(rows), options);
}

Expected<PackedReport> prune_packed(const std::string& path, const PackedOptions& options) {
  JITNEY_TRY(const Location at, locate(path, false));
  if (!at.folder) return PackedReport();
  return rewrite(path, {}, options);
}

}  // namespace jitney::cache
