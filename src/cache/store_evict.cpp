// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
// Listing a store, and removing what was used least recently.
#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>

#include "cache/entry_table.h"
#include "cache/store_files.h"
#include "cache/store_names.h"

namespace jitney::cache {
namespace {

using File = StoreFiles::File;

bool is_folder_name(const std::string& name) {
  return name.size() == 2 && name.find_first_not_of("0123456789abcdef") == std::string::npos;
}

bool examine(int folder, const std::string& name, File& file) {
  struct stat status{};
  if (fstatat(folder, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISREG(status.st_mode)) return false;
  file.bytes = static_cast<std::uint64_t>(status.st_size);
  file.used = status.st_mtim.tv_sec;
  file.used_nanoseconds = static_cast<std::uint64_t>(status.st_mtim.tv_nsec);
  file.inode = status.st_ino;
  return true;
}

bool is_same(const File& a, const File& b) {
  return a.inode == b.inode && a.used == b.used && a.used_nanoseconds == b.used_nanoseconds && a.bytes == b.bytes;
}

}  // namespace

std::vector<StoreFiles::File> StoreFiles::list() const {
  std::vector<File> files;
  const auto here = place();
  for (const auto& inner : names_in(here->dir.get())) {
    if (!is_folder_name(inner)) continue;
    const auto folder = open_folder(here->dir.get(), inner);
    if (!folder) continue;
    for (const auto& name : names_in(folder->get())) {
      File file{.folder = inner, .name = name};
      if (name.ends_with(kEntrySuffix) && examine(folder->get(), name, file)) files.push_back(std::move(file));
    }
  }
  return files;
}

Sys<std::vector<std::byte>> StoreFiles::read_file(const File& file) const {
  const auto folder = open_folder(place()->dir.get(), file.folder);
  if (!folder) return tl::unexpected(folder.error());
  const auto opened = open_regular(folder->get(), file.name.c_str(), false);
  if (!opened) return tl::unexpected(opened.error());
  return read_all(opened->get(), kMaxEntryBytes);
}

Status StoreFiles::remove(const File& file) {
  const auto folder = open_folder(place()->dir.get(), file.folder);
  const int error = !folder ? folder.error() : unlinkat(folder->get(), file.name.c_str(), 0) != 0 ? errno : 0;
  if (error == 0 || error == ENOENT) return {};
  return environment_error("cannot remove '{}/{}/{}': {}", path_, file.folder, file.name, errno_text(error));
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
    const auto folder = open_folder(place()->dir.get(), file.folder);
    File current;
    // What was used or written meanwhile is no longer the one that was chosen.
    const bool goes = (locked || !keep_used) && folder && examine(folder->get(), file.name, current) &&
                      is_same(file, current) && unlinkat(folder->get(), file.name.c_str(), 0) == 0;
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
