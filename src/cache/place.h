// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "util/expected.h"
#include "util/unique_fd.h"

namespace jitney::cache {

/// A folder from which native code may be loaded, opened once so that nobody can swap it afterwards.
struct Place {
  unique_fd dir;
  std::string path;      ///< absolute
  bool writable = true;  ///< false: a read-only cache, for instance one that an image ships
};

/// Opens `directory`, making it and missing ancestors with mode 0700. The path is walked one component at a time
/// through open descriptors. Refused, with the reason and the offending path in the message:
///  - the folder, an ancestor or a symlink on the way that belongs to neither this user nor root;
///  - the folder, when anybody but its owner may write to it;
///  - an ancestor that everybody may write to and that is not sticky;
///  - something on the way that is no folder.
/// Group-writable ancestors are accepted. Thread-safe.
Expected<std::shared_ptr<const Place>> open_place(const std::string& directory);

/// Whether the open folder was removed from the file system.
bool is_removed(int dir_fd);

}  // namespace jitney::cache
