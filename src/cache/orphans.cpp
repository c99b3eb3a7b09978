// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "cache/orphans.h"

#if !defined(_WIN32)

#include <fcntl.h>
#include <sys/stat.h>

#include <string>

#include "cache/folder_names.h"
#include "util/atomic_file.h"

namespace jitney::cache {

int remove_orphans(const Place& place, std::chrono::system_clock::time_point now) {
  const int dir_fd = place.dir.get();
  const auto oldest = std::chrono::system_clock::to_time_t(now - std::chrono::hours(1));
  int removed = 0;
  for (const std::string& name : names_in(dir_fd)) {
    if (!name.starts_with(AtomicFile::kTempPrefix)) continue;
    struct stat status{};
    if (fstatat(dir_fd, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0 || S_ISDIR(status.st_mode)) continue;
    if (status.st_mtime < oldest && unlinkat(dir_fd, name.c_str(), 0) == 0) ++removed;
  }
  return removed;
}

}  // namespace jitney::cache
#endif
