// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <jitney/engine.h>
#include <jitney/value.h>

#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "frontend/onnx/given.h"
#include "util/expected.h"

namespace jitney::engine {

/// How outputs of the model are made up of those of a graph, in order.
struct OutputForm {
  ValueKind kind = ValueKind::tensor;
  std::size_t count = 1;  ///< of tensors
};
/// Of a graph as the importer gives it (onnx::ImportOptions::given); none is one tensor each.
Expected<std::vector<OutputForm>> output_forms(const std::map<std::string, std::string>& metadata, std::size_t outputs);

/// A model for one structure of its inputs.
struct StructuredEngine {
  Engine engine;                    ///< of tensors
  std::vector<bool> is_a_constant;  ///< of each input of the model: its value is in the engine
  std::vector<OutputForm> outputs;
};

/// An ONNX model with sequences or optionals whose structure each run decides. Keeps the model's bytes, and the engines
/// of the last structures. Thread-safe.
class StructuredModel {
 public:
  static constexpr std::size_t kMostEngines = 64;

  /// Copies the bytes. Errors (user): what read_declared() refuses.
  static Expected<std::shared_ptr<StructuredModel>> open(std::span<const std::byte> bytes,
                                                         std::optional<std::string> base_directory);

  const std::string& name() const { return declared_.name; }
  const std::map<std::string, std::string>& metadata() const { return declared_.metadata; }
  const std::vector<TensorInfo>& inputs() const { return declared_.inputs; }
  const std::vector<TensorInfo>& outputs() const { return declared_.outputs; }
  /// Whether there are inputs of one integer or boolean, whose values may decide the structure.
  bool has_scalars() const;

  /// The engine for inputs like these. Errors (user) name the input, expected and found; or they are the import's.
  Expected<std::shared_ptr<const StructuredEngine>> engine_for(std::span<const ValueView> inputs);

 private:
  struct Kept {
    std::shared_ptr<const StructuredEngine> engine;
    std::uint64_t last_use = 0;
  };

  StructuredModel() = default;
  Status check(std::span<const ValueView> inputs) const;
  std::string key_of(std::span<const ValueView> inputs) const;
  Expected<std::shared_ptr<const StructuredEngine>> import(std::span<const ValueView> inputs);

  std::vector<std::byte> bytes_;
  std::optional<std::string> base_directory_;
  onnx::Declared declared_;
  std::mutex mutex_;  // guards what follows, also while a structure is imported
  bool reads_scalars_ = false;
  std::map<std::string, Kept> kept_;
  std::uint64_t uses_ = 0;
};

}  // namespace jitney::engine
