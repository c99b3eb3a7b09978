// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>
#include <jitney/session.h>
#include <torch/custom_class.h>

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "jitney/torch/cache_handle.h"
#include "jitney/torch/record.h"

namespace jitney::torch_runtime {

/// torch.classes.jitney.Engine: a jitney::Session as PyTorch programs hold it. Its session is in the registry
/// (jitney/registry.h) under its name for as long as it lives. Thread-safe.
class Engine : public torch::CustomClassHolder {
 public:
  /// Throws c10::Error as parse_record() does, jitney::Error for bytes that are no engine, and ValueError where the
  /// record's names are not the engine's.
  /// `built`: the number of an engine of this process (register_engine), which is run in place of the record's bytes.
  explicit Engine(Record record, std::int64_t built = 0);
  ~Engine() override;

  /// Inputs in the order of input_binding_names, on the engine's device, any strides, and behind torch's current stream
  /// there. Gives the outputs in the order of output_binding_names, without those that are written into an input.
  /// Throws c10::ValueError that names the input, what was expected and what was found.
  JITNEY_EXPORT std::vector<at::Tensor> execute(const std::vector<at::Tensor>& inputs);

  /// The slots of its record, from which an equal engine can be made.
  std::vector<std::string> slots() const;
  /// Bytes of a .jitney file as uint8.
  at::Tensor serialize() const;
  /// Inputs and outputs in the order of the binding names as JSON: {"inputs": [{"name", "dtype", "shape"}, ...],
  /// "outputs": the same, "aliases": {output: input}}. Extents are expressions, as text.
  std::string describe() const;
  const Record& record() const { return record_; }
  std::int64_t id() const { return id_; }
  Session& session() const { return *session_; }

  void update_runtime_settings(std::int64_t specialization, std::int64_t cuda_graphs,
                               const std::optional<c10::intrusive_ptr<RuntimeCacheHandle>>& cache) const;
  /// Why a run with inputs like the last one's cannot be recorded on that stream; "" when it can. Throws before the
  /// first run.
  std::string why_not_capturable(std::int64_t stream) const;
  /// Of the last run, in the order of the engine's own inputs; empty before the first.
  std::vector<std::vector<std::int64_t>> input_shapes() const;

  bool operator==(const Engine& other) const { return session_ == other.session_; }

  /// Outputs of the next run are allocated in advance, while this one's are computed.
  std::atomic<bool> use_pre_allocated_outputs{false};

 private:
  struct Binding {
    std::size_t index = 0;  ///< the engine's own
    std::string name;
    DType dtype = DType::f32;
    c10::ScalarType scalar_type = c10::ScalarType::Float;
    std::size_t rank = 0;
    std::optional<std::size_t> alias;  ///< of an output: the input, as bound, that it is written into
  };

  std::vector<Binding> bind(const char* role, const std::vector<std::string>& names,
                            const std::vector<TensorInfo>& infos) const;
  void bind_aliases();
  void check(const std::vector<at::Tensor>& inputs) const;
  std::vector<at::Tensor> take_pre_allocated();

  Record record_;  // without the engine's bytes
  const Device device_;
  const c10::Device torch_device_;
  std::shared_ptr<Session> session_;
  std::int64_t id_ = 0;
  std::vector<Binding> inputs_, outputs_;
  std::vector<std::size_t> output_at_;  // by the engine's index, which of outputs_

  mutable std::mutex mutex_;  // guards what follows
  std::vector<at::Tensor> pre_allocated_;
  std::vector<std::vector<std::int64_t>> last_shapes_;  // of the inputs, in the engine's order
};

}  // namespace jitney::torch_runtime
