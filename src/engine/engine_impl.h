// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <jitney/engine.h>

#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "ir/graph.h"
#include "util/expected.h"

namespace jitney {

namespace engine {
class StructuredModel;
}

/// Compiled kernels that an engine brings, as the bytes of a packed cache (cache/precompiled.h). Nobody looks into them
/// unless they are trusted.
struct EngineKernels {
  std::span<const std::byte> pack;
  std::shared_ptr<const void> owner;  ///< of the bytes
  bool is_trusted = false;
};

/// What an Engine holds: a graph at ir::Stage::optimized. Constants may point into a mapped engine file.
class EngineImpl {
 public:
  explicit EngineImpl(ir::Graph graph, std::vector<OptimizationProfile> profiles = {}, EngineKernels kernels = {});

  /// Of no tensors by itself.
  explicit EngineImpl(std::shared_ptr<engine::StructuredModel> structured);

  const ir::Graph& graph() const { return graph_; }
  const std::vector<TensorInfo>& inputs() const { return inputs_; }
  const std::vector<TensorInfo>& outputs() const { return outputs_; }
  const std::vector<OptimizationProfile>& profiles() const { return profiles_; }
  const EngineKernels& kernels() const { return kernels_; }
  bool has_data_dependent_outputs() const { return has_data_dependent_outputs_; }
  /// Null where the engine is of tensors.
  const std::shared_ptr<engine::StructuredModel>& structured() const { return structured_; }

 private:
  ir::Graph graph_;
  std::vector<OptimizationProfile> profiles_;
  EngineKernels kernels_;
  std::vector<TensorInfo> inputs_, outputs_;
  bool has_data_dependent_outputs_ = false;
  std::shared_ptr<engine::StructuredModel> structured_;
};

namespace engine {

/// Engine file bytes of a graph (grammar in file_format.h).
Expected<std::vector<std::byte>> serialize(const ir::Graph& graph,
                                           const std::vector<OptimizationProfile>& profiles = {},
                                           std::span<const std::byte> kernels = {});
/// Whether bytes begin like an engine file.
bool is_engine_file(std::span<const std::byte> bytes);
/// `owner` keeps the bytes alive: weights are not copied. Everything is checked before use; errors are the user's.
/// is_mapped: they are a file's read-only mapping, whose pages may be given back while nobody uses them. `profiles`
/// gets those of the file, `kernels` the bytes of its KERNELS section, unread.
Expected<ir::Graph> deserialize(std::span<const std::byte> bytes, std::shared_ptr<const void> owner,
                                bool is_mapped = false, std::vector<OptimizationProfile>* profiles = nullptr,
                                std::span<const std::byte>* kernels = nullptr);

}  // namespace engine
}  // namespace jitney
