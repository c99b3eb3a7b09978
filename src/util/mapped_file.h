// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <utility>

#include "util/expected.h"

namespace jitney {

/// A file's bytes, mapped read-only. Immutable and so safe to read from many threads; valid while the object lives,
/// whatever happens to the path. If somebody truncates the file meanwhile, touching the lost pages raises SIGBUS:
/// map what others do not write to, or a private copy from make_memfd.
class MappedFile {
 public:
  /// Error(user) when the file is missing, may not be read or is no regular file; Error(environment) when mapping
  /// fails. An empty file gives empty bytes.
  static Expected<MappedFile> open(const std::string& path);
  /// Maps an open regular file or memfd, which may be closed afterwards. `name` is for messages.
  static Expected<MappedFile> map(int fd, const std::string& name);

  MappedFile(MappedFile&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}
  MappedFile& operator=(MappedFile&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    return *this;
  }
  ~MappedFile();

  std::span<const std::byte> bytes() const { return {static_cast<const std::byte*>(data_), size_}; }

 private:
  MappedFile(void* data, std::size_t size) : data_(data), size_(size) {}
  void* data_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace jitney
