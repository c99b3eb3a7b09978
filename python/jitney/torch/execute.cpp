// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <c10/core/DeviceGuard.h>
#include <c10/util/Exception.h>
#include <c10/util/SmallVector.h>

#include "jitney/torch/device.h"
#include "jitney/torch/dtypes.h"
#include "jitney/torch/engine.h"

namespace jitney::torch_runtime {

void Engine::check(const std::vector<at::Tensor>& inputs) const {
  TORCH_CHECK_VALUE(inputs.size() == inputs_.size(), "engine '", record_.name, "' expects ", inputs_.size(),
                    " inputs (", record_.input_binding_names, "), found ", inputs.size());
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const at::Tensor& t = inputs[i];
    const Binding& b = inputs_[i];
    TORCH_CHECK_VALUE(t.defined(), "input '", b.name, "' of engine '", record_.name, "' is missing");
    TORCH_CHECK_VALUE(t.layout() == at::kStrided, "input '", b.name, "' of engine '", record_.name,
                      "' must be dense (torch.strided), found ", t.layout());
    TORCH_CHECK_VALUE(t.scalar_type() == b.scalar_type, "input '", b.name, "' of engine '", record_.name,
                      "' must have dtype torch.", to_string(b.dtype), ", found ", t.scalar_type());
    TORCH_CHECK_VALUE(t.device().type() == torch_device_.type() &&
                          (t.device().is_cpu() || t.device().index() == torch_device_.index()),
                      "input '", b.name, "' of engine '", record_.name, "' must be on ", torch_device_, ", found ",
                      t.device());
  }
}

std::vector<at::Tensor> Engine::take_pre_allocated() {
  const std::lock_guard lock(mutex_);
  return std::exchange(pre_allocated_, {});
}

std::vector<at::Tensor> Engine::execute(const std::vector<at::Tensor>& given) {
  check(given);
  const c10::OptionalDeviceGuard guard(device_.type == Device::Type::cuda ? std::optional(torch_device_)
                                                                          : std::nullopt);
  // Views that torch only notes, such as a negation, are made real.
  c10::SmallVector<at::Tensor, 8> inputs;
  c10::SmallVector<TensorView, 8> views(given.size());
  for (std::size_t i = 0; i < given.size(); ++i) {
    inputs.push_back(given[i].is_neg() ? given[i].resolve_neg() : given[i]);
    const at::Tensor& t = inputs.back();
    // A view for reading: nothing is written through it.
    views[inputs_[i].index] = {const_cast<void*>(t.const_data_ptr()),
                               inputs_[i].dtype,
                               {t.sizes().data(), t.sizes().size()},
                               {t.strides().data(), t.strides().size()},
                               device_};
  }
  const bool pre_allocates = use_pre_allocated_outputs.load(std::memory_order_relaxed);
  std::vector<at::Tensor> waiting = take_pre_allocated();
  if (!pre_allocates) waiting.clear();
  std::vector<at::Tensor> outputs(outputs_.size());
  const auto allocate = [&](std::size_t index, DType, std::span<const std::int64_t> shape) -> void* {
    const std::size_t at = output_at_[index];
    const at::IntArrayRef sizes(shape.data(), shape.size());
    at::Tensor& output = outputs[at];
    if (at < waiting.size() && waiting[at].defined() && waiting[at].sizes() == sizes) {
      output = std::move(waiting[at]);
    } else {
      output = at::empty(sizes, at::TensorOptions().dtype(outputs_[at].scalar_type).device(torch_device_));
    }
    return output.mutable_data_ptr();
  };
  const auto context = session_->context();
  try {
    if (device_.type == Device::Type::cpu) {
      context->execute(views, allocate);
    } else {
      context->execute(views, allocate, current_stream(device_));
    }
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::user) C10_THROW_ERROR(ValueError, "engine '" + record_.name + "': " + error.what());
    TORCH_CHECK(false, "engine '", record_.name, "': ", error.what());
  }
  {
    const std::lock_guard lock(mutex_);
    if (last_shapes_.size() != views.size()) last_shapes_.resize(views.size());
    for (std::size_t i = 0; i < views.size(); ++i) last_shapes_[i].assign(views[i].shape.begin(), views[i].shape.end());
    if (pre_allocates) {
      pre_allocated_.resize(outputs.size());
      for (std::size_t i = 0; i < outputs.size(); ++i)
        pre_allocated_[i] = outputs_[i].alias ? at::Tensor() : at::empty_like(outputs[i]);
    }
  }
  std::vector<at::Tensor> shown;
  shown.reserve(outputs.size());
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    if (outputs_[i].alias) {
      given[*outputs_[i].alias].copy_(outputs[i]);
    } else {
      shown.push_back(std::move(outputs[i]));
    }
  }
  return shown;
}

}  // namespace jitney::torch_runtime
