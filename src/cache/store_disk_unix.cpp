// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#if !defined(_WIN32)
#include <fcntl.h>
#include <sys/stat.h>

#include <ctime>

#include "cache/entry.h"
#include "cache/folder_names.h"
#include "cache/store_disk.h"
#include "util/file.h"

namespace jitney::cache {
namespace {

/// Opens FOLDER/xx. A symlink there is not followed, and what others may write to is not used.
Sys<unique_fd> open_folder(const Place& place, const std::string& name) {
  constexpr int kFlags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
  unique_fd fd(retry_interrupted([&] { return openat(place.dir.get(), name.c_str(), kFlags); }));
  if (!fd) return tl::unexpected(errno);
  struct stat status{};
  if (fstat(fd.get(), &status) != 0) return tl::unexpected(errno);
  const bool trusted = status.st_uid == 0 || status.st_uid == geteuid();
  if (!trusted || (status.st_mode & (S_IWGRP | S_IWOTH)) != 0) return tl::unexpected(EPERM);
  return fd;
}

}  // namespace

DiskResult<std::vector<std::byte>> read_store_file(const Place& place, const std::string& folder,
                                                   const std::string& name, std::optional<std::int64_t> touch) {
  const auto opened = open_folder(place, folder);
  if (!opened) return tl::unexpected(opened.error());
  const auto file = open_regular(opened->get(), name.c_str(), false);
  if (!file) return tl::unexpected(file.error());
  auto bytes = read_all(file->get(), kMaxEntryBytes);
  struct stat status{};
  if (bytes && touch && fstat(file->get(), &status) == 0) {
    const auto now = static_cast<std::int64_t>(std::time(nullptr));
    // Either way: a time in the future is a clock that jumped.
    if (now - status.st_mtime >= *touch || status.st_mtime - now > *touch) futimens(file->get(), nullptr);
  }
  return bytes;
}

Status write_store_file(const Place& place, const std::string& folder, const std::string& name,
                        std::span<const std::byte> bytes, bool durable) {
  if (mkdirat(place.dir.get(), folder.c_str(), 0700) != 0 && errno != EEXIST) {
    return environment_error("cannot make the folder '{}/{}': {}", place.path, folder, errno_text(errno));
  }
  const auto opened = open_folder(place, folder);
  if (!opened)
    return environment_error("cannot use the folder '{}/{}': {}", place.path, folder, errno_text(opened.error()));
  // Temporary files lie in the store's own folder, so that those left behind are found without listing the others.
  JITNEY_TRY(auto file, AtomicFile::create(opened->get(), name,
                                           {.durable = durable, .mode = 0600, .temp_dir_fd = place.dir.get()}));
  JITNEY_CHECK(file.write(bytes));
  return file.commit();
}

int remove_store_file(const Place& place, const std::string& folder, const std::string& name) {
  const auto opened = open_folder(place, folder);
  if (!opened) return opened.error();
  return unlinkat(opened->get(), name.c_str(), 0) != 0 ? errno : 0;
}

bool examine_store_file(const Place& place, StoreFile& file) {
  const auto opened = open_folder(place, file.folder);
  struct stat status{};
  if (!opened || fstatat(opened->get(), file.name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) return false;
  if (!S_ISREG(status.st_mode)) return false;
  file.bytes = static_cast<std::uint64_t>(status.st_size);
  file.used = status.st_mtim.tv_sec;
  file.used_nanoseconds = static_cast<std::uint64_t>(status.st_mtim.tv_nsec);
  file.inode = status.st_ino;
  return true;
}

std::vector<std::string> list_store_folder(const Place& place, const std::string& folder) {
  if (folder.empty()) return names_in(place.dir.get());
  const auto opened = open_folder(place, folder);
  return opened ? names_in(opened->get()) : std::vector<std::string>();
}

RangeLocks open_store_locks(const Place& place) { return RangeLocks::open_at(place.dir.get(), kLocksName); }

bool is_removed(const Place& place) {
  struct stat status{};
  return fstat(place.dir.get(), &status) != 0 || status.st_nlink == 0;
}

}  // namespace jitney::cache
#endif
