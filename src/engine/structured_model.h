// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <jitney/engine.h>
#include <jitney/value.h>

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
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
  mutable std::atomic<bool> is_dropped = false;  ///< by the model: whoever has it uses it, and keeps it no longer
};

/// An ONNX model with sequences or optionals whose structure each run decides. Keeps the model's bytes, and the engines
/// of the last structures. Thread-safe: a new structure is imported once, whoever wants it, and those that are known do
/// not wait for it.
class StructuredModel {
 public:
  static constexpr std::size_t kMostEngines = 64;

  /// Somebody who keeps what was made of an engine, weights among it.
  class Listener {
   public:
    virtual ~Listener() = default;
    /// The model keeps it no longer, and has set is_dropped. Called without a lock, by any thread.
    virtual void dropped(const std::shared_ptr<const StructuredEngine>& engine) = 0;
  };

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
  void listen(std::weak_ptr<Listener> listener);

 private:
  struct Kept {
    std::shared_ptr<const StructuredEngine> engine;
    std::uint64_t last_use = 0;
  };

  /// A structure that some thread imports, for all that want it.
  struct Making {
    bool is_done = false;
    std::optional<Expected<std::shared_ptr<const StructuredEngine>>> result;  ///< nothing: look again
  };
  using Dropped = std::vector<std::shared_ptr<const StructuredEngine>>;

  StructuredModel() = default;
  Status check(std::span<const ValueView> inputs) const;
  std::string key_of(std::span<const ValueView> inputs, bool reads_scalars) const;
  Status check_on_host(std::span<const ValueView> inputs) const;
  /// With values of scalars as constants, or without; `open` says whether they would help.
  Expected<std::shared_ptr<const StructuredEngine>> import(std::span<const ValueView> inputs, bool reads_scalars,
                                                           onnx::Open& open) const;
  /// Imports for `key`, and tells those that wait. Nothing: from now on values of scalars belong to the key.
  std::optional<Expected<std::shared_ptr<const StructuredEngine>>> make(const std::string& key, bool reads_scalars,
                                                                        std::span<const ValueView> inputs);
  void tell(const Dropped& dropped);

  std::vector<std::byte> bytes_;
  std::optional<std::string> base_directory_;
  onnx::Declared declared_;
  std::mutex mutex_;  // guards what follows; never held while something is imported
  std::condition_variable made_;
  std::map<std::string, std::shared_ptr<Making>> making_;
  std::vector<std::weak_ptr<Listener>> listeners_;
  bool reads_scalars_ = false;
  std::map<std::string, Kept> kept_;
  std::uint64_t uses_ = 0;
};

}  // namespace jitney::engine
