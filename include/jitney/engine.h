// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <jitney/dtype.h>
#include <jitney/error.h>
#include <jitney/export.h>
#include <jitney/optimization_profile.h>
#include <jitney/tensor.h>
#include <jitney/value.h>

namespace jitney {

class EngineImpl;
class RuntimeCache;

/// An input or output of an engine. Each entry of shape is a number or an expression over symbols, for instance
/// "224", "batch" or "2*height": extents with the same text are equal in every run.
struct TensorInfo {
  std::string name;
  DType dtype = DType::f32;
  /// Of a sequence: of each of its tensors. {"..."}: any, of any rank.
  std::vector<std::string> shape;
  ValueKind kind = ValueKind::tensor;  ///< never none
  bool is_optional = false;            ///< may be ValueKind::none
};

struct LoadOptions {
  /// Compiled kernels in an engine file (Engine::with_precompiled) are native code: whoever can write the file decides
  /// what this process does. Only with this are they used.
  bool trust_precompiled = false;
};

/// A model, optimized and portable: graph, weights and metadata, without device code. Built without the target
/// device. Immutable and cheap to copy (copies share it); safe to use from many threads.
class JITNEY_EXPORT Engine {
 public:
  /// Reads an ONNX model (and builds it) or a .jitney engine file, told apart by content. External data of an ONNX
  /// model is looked for beside it. Throws Error(user) with one sentence for a file that is missing, damaged, hostile
  /// or uses what is not supported (named).
  static Engine load(const std::string& path, const LoadOptions& options = {});
  /// The same from memory. An ONNX model with external data is refused.
  static Engine load(std::span<const std::byte> bytes, const LoadOptions& options = {});

  /// An ONNX model in memory whose large weights are the caller's: initializers by name, for which the model has dtype
  /// and shape and no data. They are not copied: their bytes stay as they are for as long as the engine lives. Thus a
  /// model may be larger than protobuf allows. A dim_param may be an expression over symbols ("2*batch + 1"); `extents`
  /// are the least and the largest of symbols, outside of which runs are errors. Throws as load() does.
  static Engine build(std::span<const std::byte> model, const std::map<std::string, Tensor>& weights,
                      const std::map<std::string, std::pair<std::int64_t, std::int64_t>>& extents = {});

  /// The bytes of a .jitney file. Throws Error(environment) when there is no memory for them.
  std::vector<std::byte> serialize() const;
  /// Writes a .jitney file: portable across devices and operating systems, with a digest; appears whole or not at all.
  /// Throws Error(environment) when it cannot be written.
  void save(const std::string& path) const;

  /// The same model, which takes the shapes of these profiles only (none: every shape that it can). Ranges of inputs
  /// may be left empty where other inputs' ranges decide them, or where any shape will do. Throws Error(user) where
  /// they do not fit the model; the message names profile and input. Shares the weights.
  Engine with_profiles(std::vector<OptimizationProfile> profiles) const;
  const std::vector<OptimizationProfile>& profiles() const;

  /// The same model, which brings the kernels of this cache with it (RuntimeCache::serialize() says which those are) in
  /// place of those that it had: where one was compiled for exactly the target that runs it, it is not compiled again,
  /// and no compiler is needed. They are part of what save() and serialize() write; readers use them when they trust
  /// the file. A cache without kernels takes them away.
  Engine with_precompiled(const RuntimeCache& cache) const;
  /// How many kernels it brings for each target, as "x86-64-v3", trusted or not. Throws Error(user) where they cannot
  /// be read.
  std::map<std::string, std::uint64_t> precompiled() const;

  const std::string& name() const;
  const std::vector<TensorInfo>& inputs() const;
  const std::vector<TensorInfo>& outputs() const;
  /// Whether the shape of an output follows from data (NonZero, a loop), so that only execute() tells it.
  bool has_data_dependent_outputs() const;
  /// Whether inputs or outputs are sequences or optionals whose structure a run decides: such an engine runs through
  /// Session::run(), which makes an engine of tensors for each structure. It has no profiles and cannot be saved.
  bool is_structured() const;
  /// Where the model came from: producer, opset, source file. For people.
  const std::map<std::string, std::string>& metadata() const;

  /// For the parts of Jitney itself.
  const std::shared_ptr<const EngineImpl>& impl() const { return impl_; }
  explicit Engine(std::shared_ptr<const EngineImpl> impl) : impl_(std::move(impl)) {}

 private:
  std::shared_ptr<const EngineImpl> impl_;
};

}  // namespace jitney
