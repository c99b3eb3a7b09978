// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "cache/pack_merge.h"

#include <algorithm>

#include "util/log.h"

namespace jitney::cache {
namespace {

/// Takes rows out until the rest fits. Rows in use stay.
std::uint64_t evict(PackRows& rows, std::uint64_t max_bytes) {
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

/// The file's entries join; true when the file lacks something that the rows have.
bool join(PackRows& rows, const PackContents& contents) {
  std::size_t known = 0;
  bool newer_use = false;
  const std::size_t own = rows.size();
  for (const auto& item : contents.items) {
    const auto [row, is_new] = rows.try_emplace(item.entry.key, PackRow{item.bytes, item.used, false, nullptr});
    if (is_new) continue;
    ++known;
    newer_use = newer_use || row->second.used > item.used;
    row->second.used = std::max(row->second.used, item.used);
  }
  return known != own || newer_use;
}

std::vector<std::byte> write(const PackRows& rows, const PackContents& contents) {
  std::size_t size = kPackHeadBytes;
  for (const auto& [key, row] : rows) size += kFrameHeadBytes + row.bytes.size();
  PackWriter writer;
  writer.reserve(size);
  for (const auto& [key, row] : rows) writer.add(row.bytes, row.used);
  for (const auto& frame : contents.unknown) writer.add_frame(frame);
  return writer.take();
}

}  // namespace

Expected<PackRows> rows_of(EntryTable& table, const std::vector<EntryTable::Item>& items, const Hmac* signer) {
  PackRows rows;
  for (const auto& item : items) {
    JITNEY_TRY(auto packed, table.packed(item, signer));
    rows.emplace(item.key, PackRow{*packed, item.used, true, packed});
  }
  return rows;
}

Status check_kind(const PackContents& contents, const std::string& path) {
  if (contents.kind == PackContents::Kind::foreign)
    return user_error("'{}' is not a cache of Jitney's, and is left as it is", path);
  if (contents.kind == PackContents::Kind::newer)
    return user_error("the cache '{}' was written in a format that this Jitney does not know, and is left as it is",
                      path);
  return {};
}

Expected<std::optional<std::vector<std::byte>>> merge_pack(const std::string& path, PackRows rows,
                                                           const std::optional<std::vector<std::byte>>& file,
                                                           const PackedOptions& options, PackedReport& report) {
  const PackContents contents = file ? read_pack(*file, options.signer) : PackContents();
  report = {.found = file.has_value(), .damaged = contents.damaged};
  report.unauthenticated = contents.unauthenticated;
  if (file) JITNEY_CHECK(check_kind(contents, path));
  const bool is_missing = join(rows, contents) || !file;
  report.evicted = evict(rows, options.max_bytes);
  if (!is_missing && report.evicted == 0 && contents.damaged == 0 && contents.unauthenticated == 0) {
    report.bytes = file->size();
    return std::optional<std::vector<std::byte>>();
  }
  if (rows.empty() && !file) return std::optional<std::vector<std::byte>>();
  report.added = rows.size() - std::min(rows.size(), contents.items.size());
  auto bytes = write(rows, contents);
  report.bytes = bytes.size();
  return std::optional(std::move(bytes));
}

Expected<PackedReport> add_pack(const std::string& path, const std::vector<std::byte>& file, EntryTable& table,
                                const PackedOptions& options) {
  const PackContents contents = read_pack(file, options.signer);
  JITNEY_CHECK(check_kind(contents, path));
  PackedReport report{.found = true, .damaged = contents.damaged};
  report.unauthenticated = contents.unauthenticated;
  report.bytes = file.size();
  for (const auto& item : contents.items) report.added += table.insert_packed(item.entry.key, item.bytes, item.used);
  if (report.damaged != 0)
    log_info("{} damaged entries of the cache '{}' are not used; the next save replaces them", report.damaged, path);
  return report;
}

}  // namespace jitney::cache
