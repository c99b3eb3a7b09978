// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#if defined(_WIN32)
#include <chrono>
#include <filesystem>

#include "cache/orphans.h"
#include "cache/place.h"
#include "util/atomic_file.h"
#include "util/path_text.h"

namespace jitney::cache {

namespace fs = std::filesystem;

/// Who may write to a folder is what Windows' access lists say; the user's own profile is nobody else's.
Expected<std::shared_ptr<const Place>> open_place(const std::string& directory, const PlaceOptions& options) {
  if (directory.empty() || directory.find('\0') != std::string::npos)
    return user_error("a cache folder's name is empty or holds a zero byte");
  std::error_code error;
  const fs::path path = fs::absolute(path_from_text(directory), error).lexically_normal();
  if (options.make) fs::create_directories(path, error);
  if (!fs::is_directory(path, error)) {
    if (!options.make && !fs::exists(path, error)) return std::shared_ptr<const Place>();
    return environment_error("cannot make the folder '{}'", directory);
  }
  auto place = std::make_shared<Place>();
  place->path = path_text(path);
  while (place->path.size() > 3 && (place->path.back() == '\\' || place->path.back() == '/')) place->path.pop_back();
  return std::shared_ptr<const Place>(std::move(place));
}

namespace {

int remove_old_temporaries(const fs::path& folder) {
  int removed = 0;
  std::error_code error;
  const auto oldest = fs::file_time_type::clock::now() - std::chrono::hours(1);
  for (const auto& file : fs::directory_iterator(folder, error)) {
    if (path_text(file.path().filename()).find(AtomicFile::kTempPrefix) == std::string::npos) continue;
    if (file.last_write_time(error) < oldest && !error && fs::remove(file.path(), error)) ++removed;
  }
  return removed;
}

/// Of a store: the first two digits of its entries' names.
bool is_entry_folder(const std::string& name) {
  return name.size() == 2 && name.find_first_not_of("0123456789abcdef") == std::string::npos;
}

}  // namespace

/// Files are written beside their targets here, so a store's lie in its folders of entries.
int remove_orphans(const Place& place, std::chrono::system_clock::time_point) {
  int removed = remove_old_temporaries(path_from_text(place.path));
  std::error_code error;
  for (const auto& inner : fs::directory_iterator(path_from_text(place.path), error))
    if (is_entry_folder(path_text(inner.path().filename()))) removed += remove_old_temporaries(inner.path());
  return removed;
}

}  // namespace jitney::cache
#endif
