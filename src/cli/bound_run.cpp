// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "cli/bound_run.h"

namespace jitney::cli {

BoundRun::BoundRun(ExecutionContext& context, const Engine& engine, const std::vector<Tensor>& inputs, Device device)
    : context_(context), engine_(engine), device_(device) {
  if (device.type == Device::Type::cpu) {
    for (const Tensor& t : inputs) inputs_.push_back(t.view());
    host_results_ = context_.execute(inputs_);
    for (const Tensor& t : host_results_) outputs_.push_back(t.view());
    return;
  }
  for (const Tensor& t : inputs) {
    on_device_.emplace_back(t, device);
    inputs_.push_back(on_device_.back().view());
  }
  if (engine.has_data_dependent_outputs()) {
    run_anew();
    return;
  }
  const auto shapes = context_.output_shapes(inputs_);
  for (std::size_t i = 0; i < shapes.size(); ++i) results_.emplace_back(engine.outputs()[i].dtype, shapes[i], device);
  for (const DeviceTensor& t : results_) outputs_.push_back(t.view());
  again();
}

void BoundRun::again() {
  if (engine_.has_data_dependent_outputs()) return run_anew();
  context_.execute(inputs_, outputs_);
}

void BoundRun::run_anew() {
  results_.clear();
  host_results_.clear();
  if (device_.type == Device::Type::cpu) {
    host_results_ = context_.execute(inputs_);
    return;
  }
  results_.reserve(engine_.outputs().size());
  context_.execute(inputs_, [&](std::size_t, DType dtype, std::span<const std::int64_t> shape) {
    results_.emplace_back(dtype, std::vector<std::int64_t>(shape.begin(), shape.end()), device_);
    return results_.back().view().data;
  });
}

std::vector<Tensor> BoundRun::fetch() const {
  if (results_.empty()) return host_results_;
  std::vector<Tensor> host;
  for (const DeviceTensor& t : results_) host.push_back(t.download());
  return host;
}

}  // namespace jitney::cli
