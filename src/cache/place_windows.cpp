// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#if defined(_WIN32)
#include <chrono>
#include <filesystem>

#include "cache/orphans.h"
#include "cache/place.h"
#include "util/atomic_file.h"

namespace jitney::cache {

namespace fs = std::filesystem;

/// Who may write to a folder is what Windows' access lists say; the user's own profile is nobody else's.
Expected<std::shared_ptr<const Place>> open_place(const std::string& directory, const PlaceOptions& options) {
  if (directory.empty() || directory.find('\0') != std::string::npos)
    return user_error("a cache folder's name is empty or holds a zero byte");
  std::error_code error;
  const fs::path path = fs::absolute(fs::path(directory), error).lexically_normal();
  if (options.make) fs::create_directories(path, error);
  if (!fs::is_directory(path, error)) {
    if (!options.make && !fs::exists(path, error)) return std::shared_ptr<const Place>();
    return environment_error("cannot make the folder '{}'", directory);
  }
  auto place = std::make_shared<Place>();
  place->path = path.string();
  while (place->path.size() > 3 && (place->path.back() == '\\' || place->path.back() == '/')) place->path.pop_back();
  return std::shared_ptr<const Place>(std::move(place));
}

int remove_orphans(const Place& place, std::chrono::system_clock::time_point) {
  int removed = 0;
  std::error_code error;
  const auto oldest = fs::file_time_type::clock::now() - std::chrono::hours(1);
  for (const auto& inner : fs::directory_iterator(place.path, error)) {
    const fs::path folder = inner.path();
    if (!inner.is_directory(error)) continue;
    for (const auto& file : fs::directory_iterator(folder, error)) {
      if (file.path().filename().string().find(AtomicFile::kTempPrefix) == std::string::npos) continue;
      if (file.last_write_time(error) < oldest && fs::remove(file.path(), error)) ++removed;
    }
  }
  return removed;
}

}  // namespace jitney::cache
#endif
