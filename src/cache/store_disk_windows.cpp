// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#if defined(_WIN32)
#include <cerrno>
#include <chrono>
#include <filesystem>

#include "cache/entry.h"
#include "cache/store_disk.h"
#include "util/path_text.h"
#include "util/windows_file.h"

namespace jitney::cache {

namespace fs = std::filesystem;

namespace {

fs::path path_of(const Place& place, const std::string& folder, const std::string& name) {
  return path_from_text(place.path) / folder / name;
}

using Seconds = std::chrono::seconds;

}  // namespace

DiskResult<std::vector<std::byte>> read_store_file(const Place& place, const std::string& folder,
                                                   const std::string& name, std::optional<std::int64_t> touch) {
  const fs::path path = path_of(place, folder, name);
  auto bytes = windows::read_if_there(path_text(path), kMaxEntryBytes);
  if (!bytes) return tl::unexpected(EIO);
  if (!*bytes) return tl::unexpected(ENOENT);
  std::error_code error;
  if (touch) {
    const auto now = fs::file_time_type::clock::now(), used = fs::last_write_time(path, error);
    const auto grain = Seconds(*touch);
    if (!error && (now - used >= grain || used - now > grain)) fs::last_write_time(path, now, error);
  }
  return std::move(**bytes);
}

Status write_store_file(const Place& place, const std::string& folder, const std::string& name,
                        std::span<const std::byte> bytes, bool durable) {
  std::error_code error;
  fs::create_directories(path_from_text(place.path) / folder, error);
  return windows::replace(path_text(path_of(place, folder, name)), bytes, durable);
}

int remove_store_file(const Place& place, const std::string& folder, const std::string& name) {
  std::error_code error;
  const bool removed = fs::remove(path_of(place, folder, name), error);
  return error ? EACCES : removed ? 0 : ENOENT;
}

bool examine_store_file(const Place& place, StoreFile& file) {
  std::error_code error;
  const fs::path path = path_of(place, file.folder, file.name);
  if (!fs::is_regular_file(path, error)) return false;
  file.bytes = fs::file_size(path, error);
  const auto age = fs::file_time_type::clock::now() - fs::last_write_time(path, error);
  const auto used = std::chrono::system_clock::now() - age;
  file.used = std::chrono::duration_cast<Seconds>(used.time_since_epoch()).count();
  // The clock's difference is not exact; the system keeps times to 100 ns.
  file.used_nanoseconds = static_cast<std::uint64_t>(fs::last_write_time(path, error).time_since_epoch().count());
  return !error;
}

std::vector<std::string> list_store_folder(const Place& place, const std::string& folder) {
  std::vector<std::string> names;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(path_from_text(place.path) / folder, error))
    names.push_back(path_text(entry.path().filename()));
  return names;
}

RangeLocks open_store_locks(const Place& place) {
  return RangeLocks::open(path_text(path_from_text(place.path) / kLocksName));
}

bool is_removed(const Place& place) {
  std::error_code error;
  return !fs::is_directory(path_from_text(place.path), error);
}

}  // namespace jitney::cache
#endif
