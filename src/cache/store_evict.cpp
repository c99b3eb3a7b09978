// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
// Listing a store, and removing what was used least recently.
#include <algorithm>
#include <cerrno>
#include <system_error>

#include "cache/entry_table.h"
#include "cache/store_files.h"

namespace jitney::cache {
namespace {

using File = StoreFiles::File;

bool is_folder_name(const std::string& name) {
  return name.size() == 2 && name.find_first_not_of("0123456789abcdef") == std::string::npos;
}

bool is_same(const File& a, const File& b) {
  return a.inode == b.inode && a.used == b.used && a.used_nanoseconds == b.used_nanoseconds && a.bytes == b.bytes;
}

}  // namespace

std::vector<StoreFiles::File> StoreFiles::list() const {
  std::vector<File> files;
  const auto here = place();
  for (const auto& inner : list_store_folder(*here, "")) {
    if (!is_folder_name(inner)) continue;
    for (const auto& name : list_store_folder(*here, inner)) {
      File file{.folder = inner, .name = name};
      if (name.ends_with(kEntrySuffix) && examine_store_file(*here, file)) files.push_back(std::move(file));
    }
  }
  return files;
}

DiskResult<std::vector<std::byte>> StoreFiles::read_file(const File& file) const {
  return read_store_file(*place(), file.folder, file.name, std::nullopt);
}

Status StoreFiles::remove(const File& file) {
  const int error = remove_store_file(*place(), file.folder, file.name);
  if (error == 0 || error == ENOENT) return {};
  return environment_error("cannot remove '{}/{}/{}': {}", path_, file.folder, file.name,
                           std::generic_category().message(error));
}

StoreFiles::Removal StoreFiles::evict(std::uint64_t max_bytes, bool keep_used) {
  using Outcome = RangeLocks::Outcome;
  Removal removal;
  const std::unique_lock alone(evicting_, std::try_to_lock);
  if (!alone) return removal;
  const auto with = locks();
  if (with->try_lock(kEvictNumber, RangeLocks::Mode::exclusive) == Outcome::busy) return removal;
  auto files = list();
  const auto now = static_cast<std::int64_t>(now_seconds());
  // A time in the future is a clock that jumped: as good as now.
  const auto used = [&](const File& f) { return std::pair(std::min(f.used, now), f.used_nanoseconds); };
  std::ranges::sort(files, [&](const File& a, const File& b) { return used(a) < used(b); });
  for (const File& file : files) removal.bytes_left += file.bytes;
  for (const File& file : files) {
    if (removal.bytes_left <= max_bytes) break;
    const std::string name = file.name.substr(0, file.name.size() - kEntrySuffix.size());
    const std::uint64_t number = use_number(name);
    bool own_use = false;
    {
      std::lock_guard lock(mutex_);
      own_use = in_use_.contains(number);
    }
    if (own_use && keep_used) continue;
    const bool locked = !own_use && with->try_lock(number, RangeLocks::Mode::exclusive) != Outcome::busy;
    const auto here = place();
    File current{.folder = file.folder, .name = file.name};
    // What was used or written meanwhile is no longer the one that was chosen.
    const bool goes = (locked || !keep_used) && examine_store_file(*here, current) && is_same(file, current) &&
                      remove_store_file(*here, file.folder, file.name) == 0;
    if (locked) with->unlock(number);
    if (!goes) continue;
    ++removal.files;
    removal.bytes += file.bytes;
    removal.bytes_left -= file.bytes;
  }
  with->unlock(kEvictNumber);
  evicted_ += removal.files;
  return removal;
}

}  // namespace jitney::cache
