// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "frontend/onnx/schema.h"
#include "util/file_bytes.h"

namespace jitney::onnx {

/// Where in the model's file a tensor's bytes lie.
struct FileRange {
  std::int64_t offset = 0, size = 0;
};

/// A serialized ModelProto without the large raw_data of its graph's initializers. Weights are most of a model's file;
/// left where they are, they are read once, straight into the tensors, instead of three times.
struct Skeleton {
  std::string bytes;
  /// One an initializer, in order; nothing for those whose data is in `bytes`.
  std::vector<std::optional<FileRange>> raw_data;
};

/// Reads the file from its beginning. Gives nothing for a file that is no well-formed message, or an unusual one: an
/// ordinary parse then says what is wrong with it.
std::optional<Skeleton> read_skeleton(int file, std::int64_t file_size);

/// Bytes of tensors that were left in the model's file.
struct DataInFile {
  std::shared_ptr<const OpenFile> file;
  std::unordered_map<const proto::TensorProto*, FileRange> ranges;
};

}  // namespace jitney::onnx
