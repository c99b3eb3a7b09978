// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "cache/folder_names.h"

#if !defined(_WIN32)
#include <dirent.h>
#include <fcntl.h>

#include <memory>
#include <string_view>

#include "util/unique_fd.h"

namespace jitney::cache {

std::vector<std::string> names_in(int folder) {
  std::vector<std::string> names;
  // A descriptor of its own: readdir moves a position that duplicates would share.
  unique_fd own(openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!own) return names;
  const std::unique_ptr<DIR, int (*)(DIR*)> dir(fdopendir(own.get()), &closedir);
  if (dir == nullptr) return names;
  own.release();  // closedir closes it
  while (const dirent* found = readdir(dir.get())) {
    const std::string_view name = found->d_name;
    if (name != "." && name != "..") names.emplace_back(name);
  }
  return names;
}

}  // namespace jitney::cache
#endif
