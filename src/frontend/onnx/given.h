// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <jitney/engine.h>
#include <jitney/value.h>

#include <cstddef>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "util/expected.h"

namespace jitney::onnx {

struct ImportOptions;

/// Tensors that a sequence may hold, and rounds of a loop that is written out.
inline constexpr std::int64_t kMostItems = 4096;

/// What an input of the model is in the runs that it is imported for. Extents stay open.
struct GivenInput {
  ValueKind kind = ValueKind::tensor;
  std::vector<std::size_t> ranks;       ///< of its tensors
  std::shared_ptr<const Tensor> value;  ///< of a tensor that decides the model's structure: it becomes a constant
};
using GivenInputs = std::map<std::string, GivenInput>;

/// Why a model cannot be imported before its inputs are given.
enum class Open : std::uint8_t {
  no,
  values,   ///< how many tensors there are, or which, follows from the value of an input
  outputs,  ///< an output is an empty sequence or an optional that holds nothing, which no graph can say
};

/// What a model says of itself.
struct Declared {
  std::string name;
  std::map<std::string, std::string> metadata;
  std::vector<TensorInfo> inputs, outputs;  ///< initializers are no inputs
};
/// Errors (user): as import_bytes(), an operator that is not supported, wherever it is, among them.
Expected<Declared> read_declared(std::span<const std::byte> bytes, const ImportOptions& options);

}  // namespace jitney::onnx
