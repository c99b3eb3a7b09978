// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <memory>
#include <string>

#include "util/reloadable.h"
#include "util/unique_fd.h"

namespace jitney {

/// A regular file that stays open to be read again, and knows when it is no longer the same: what another program
/// wrote over it must not become weights. Immutable.
class OpenFile {
 public:
  /// Duplicates the descriptor. `name` is for messages.
  static Expected<std::shared_ptr<const OpenFile>> duplicate(int fd, std::string name);

  std::int64_t size() const { return status_.st_size; }
  /// All `size` bytes at `offset`, or Error(environment), also when the file changed since it was opened.
  Status read(std::int64_t offset, std::size_t size, void* into) const;

 private:
  OpenFile(unique_fd fd, std::string name, const struct stat& status)
      : fd_(std::move(fd)), name_(std::move(name)), status_(status) {}
  Status check() const;

  const unique_fd fd_;
  const std::string name_;
  const struct stat status_;
};

/// A tensor whose bytes are read from the file whenever somebody holds them. The range must lie within the file.
Tensor tensor_in_file(DType dtype, std::vector<std::int64_t> shape, std::shared_ptr<const OpenFile> file,
                      std::int64_t offset);
/// A tensor in a mapped file: its pages are given back when nobody holds it. `owner` keeps the mapping, which nobody
/// writes to; `data` is 64-byte aligned.
Tensor tensor_in_mapping(DType dtype, std::vector<std::int64_t> shape, std::shared_ptr<const void> owner,
                         const void* data);

}  // namespace jitney
