// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "cache/orphans.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <memory>
#include <string_view>

#include "util/atomic_file.h"
#include "util/unique_fd.h"

namespace jitney::cache {

int remove_orphans(int dir_fd, std::chrono::system_clock::time_point now) {
  // A descriptor of its own: readdir moves a position that duplicates would share.
  unique_fd own(openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!own) return 0;
  const std::unique_ptr<DIR, int (*)(DIR*)> dir(fdopendir(own.get()), &closedir);
  if (dir == nullptr) return 0;
  own.release();  // closedir closes it
  const auto oldest = std::chrono::system_clock::to_time_t(now - std::chrono::hours(1));
  int removed = 0;
  while (const dirent* found = readdir(dir.get())) {
    if (!std::string_view(found->d_name).starts_with(AtomicFile::kTempPrefix)) continue;
    struct stat status{};
    if (fstatat(dir_fd, found->d_name, &status, AT_SYMLINK_NOFOLLOW) != 0 || S_ISDIR(status.st_mode)) continue;
    if (status.st_mtime < oldest && unlinkat(dir_fd, found->d_name, 0) == 0) ++removed;
  }
  return removed;
}

}  // namespace jitney::cache
