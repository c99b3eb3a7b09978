// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "util/expected.h"
#include "util/file_bytes.h"

namespace jitney::onnx {

/// Reads tensors that lie in files beside the model. A location is opened component by component beneath the
/// base directory: absolute paths, "..", symbolic links, hard links and everything that is no regular file are
/// refused (user), so that a model cannot make its reader open other files. Not thread-safe.
class ExternalData {
 public:
  /// Nothing: a model in memory, which may have no external data.
  explicit ExternalData(std::optional<std::string> base_directory) : base_(std::move(base_directory)) {}
  ~ExternalData();
  ExternalData(const ExternalData&) = delete;
  ExternalData& operator=(const ExternalData&) = delete;

  /// Fails unless [offset, offset + length) lies within the file. Call before allocating.
  Status check(const std::string& location, std::int64_t offset, std::int64_t length);
  /// Reads length bytes at offset, all or an error.
  Status read(const std::string& location, std::int64_t offset, std::int64_t length, void* into);
  /// The file, to be read later; null when so many are kept already that the process might run out of descriptors.
  Expected<std::shared_ptr<const OpenFile>> keep(const std::string& location);

 private:
  struct File {
    int descriptor = -1;
    std::int64_t size = 0;
  };
  Expected<File> open(const std::string& location);

  std::optional<std::string> base_;
  std::map<std::string, File> files_;
  std::map<std::string, std::shared_ptr<const OpenFile>> kept_;
};

}  // namespace jitney::onnx
