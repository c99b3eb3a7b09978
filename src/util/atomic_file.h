// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "util/expected.h"
#include "util/unique_fd.h"

namespace jitney {

/// A file that appears whole or not at all. Bytes go to a temporary file; commit() renames it over the target, and
/// a destructor without commit() removes it. A process killed in between leaves the old target, and at worst a file
/// whose name begins with kTempPrefix. A planted symlink is never followed: the temporary file is made with O_EXCL
/// and O_NOFOLLOW in a folder that was opened before, and rename replaces a link instead of following it.
/// One object is for one thread; different objects are independent, also with the same target (the last commit wins).
class AtomicFile {
 public:
  static constexpr std::string_view kTempPrefix = ".jitney-tmp-";

  struct Options {
    /// Survives a power cut once commit() returned: fsync the file, rename, fsync the folder.
    bool durable = false;
    unsigned mode = 0666;  ///< less the process's umask
    int temp_dir_fd = -1;  ///< folder for the temporary file, on the same file system; -1: beside the target
  };

  /// `name` is a plain file name in the folder `dir_fd`, which stays the caller's.
  static Expected<AtomicFile> create(int dir_fd, std::string name, const Options& options);
  /// For paths that a user gave. The folder must exist.
  static Expected<AtomicFile> create(const std::string& path, const Options& options);

  AtomicFile(AtomicFile&& other) noexcept;
  AtomicFile& operator=(AtomicFile&&) = delete;
  ~AtomicFile();

  /// Appends. After a failure commit() fails too.
  Status write(std::span<const std::byte> bytes);
  /// Makes the content visible under the target's name. On failure the target is as it was and nothing is left.
  Status commit();

 private:
  AtomicFile() = default;
  void discard();

  unique_fd dir_, temp_dir_, file_;  // temp_dir_ is empty when it is dir_
  std::string name_, temp_name_;     // temp_name_ is empty once committed or discarded
  bool durable_ = false;
  bool failed_ = false;
};

}  // namespace jitney
