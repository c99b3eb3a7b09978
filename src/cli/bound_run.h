// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <jitney/device_tensor.h>
#include <jitney/engine.h>
#include <jitney/execution_context.h>

#include <vector>

namespace jitney::cli {

/// A model with its inputs and outputs in place on the device: one set of outputs, written again and again, which is
/// what a program that cares for latency does.
class BoundRun {
 public:
  /// Copies inputs to the device where it does not read host memory, and runs once. The tensors outlive this.
  BoundRun(ExecutionContext& context, const Engine& engine, const std::vector<Tensor>& inputs, Device device);

  void again();
  const std::vector<TensorView>& inputs() const { return inputs_; }
  /// The outputs of the last run, in host memory.
  std::vector<Tensor> fetch() const;

 private:
  /// With new outputs, each as large as it comes out.
  void run_anew();

  ExecutionContext& context_;
  const Engine& engine_;
  Device device_;
  std::vector<DeviceTensor> on_device_, results_;
  std::vector<Tensor> host_results_;
  std::vector<TensorView> inputs_, outputs_;
};

}  // namespace jitney::cli
