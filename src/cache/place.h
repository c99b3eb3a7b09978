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

struct PlaceOptions {
  bool make = true;  ///< make the folder and missing ancestors, mode 0700
  /// What is used lies in the folder beside other things and is examined by itself: the folder is judged as an
  /// ancestor.
  bool shared = false;
};

/// Opens `directory`. The path is walked one component at a time through open descriptors. Refused, with the reason and
/// the offending path in the message:
///  - the folder, an ancestor or a symlink on the way that belongs to neither this user nor root;
///  - the folder, when anybody but its owner may write to it (unless `shared`);
///  - an ancestor that everybody may write to and that is not sticky;
///  - something on the way that is no folder.
/// Group-writable ancestors are accepted. Null when something is missing and not to be made. Thread-safe.
Expected<std::shared_ptr<const Place>> open_place(const std::string& directory, const PlaceOptions& options = {});

/// Whether a file found in a shared folder may be trusted: it belongs to this user or root, and nobody else may write
/// to it.
Status check_trusted(int fd, const std::string& path);

}  // namespace jitney::cache
