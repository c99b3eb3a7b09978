// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "frontend/onnx/model_value.h"

#include "frontend/onnx/tensor_proto.h"

namespace jitney::onnx {

ModelValuePtr make_constant(std::string name, Tensor tensor) {
  return make_constant(std::move(name), std::make_shared<const Tensor>(std::move(tensor)));
}

ModelValuePtr make_constant(std::string name, std::shared_ptr<const Tensor> shared) {
  const Tensor& tensor = *shared;
  auto value = std::make_shared<ModelValue>();
  value->name = std::move(name);
  value->dtype = tensor.dtype();
  value->shape.assign(tensor.shape().begin(), tensor.shape().end());
  const bool may_be_shape =
      tensor.dtype() == DType::i64 || tensor.dtype() == DType::i32 || tensor.dtype() == DType::boolean;
  if (may_be_shape && tensor.num_elements() <= kMaxKnownElements) {
    value->known = ShapeTensor{tensor.shape(), {}};
    for (std::int64_t i = 0; i < tensor.num_elements(); ++i)
      value->known->values.emplace_back(element_as_integer(tensor, i));
  }
  value->constant = std::move(shared);
  return value;
}

ModelValuePtr make_known(std::string name, DType dtype, ShapeTensor known) {
  auto value = std::make_shared<ModelValue>();
  value->name = std::move(name);
  value->dtype = dtype;
  value->shape.assign(known.shape.begin(), known.shape.end());
  value->known = std::move(known);
  return value;
}

std::optional<std::int64_t> known_scalar(const ModelValue& value) {
  if (!value.known || value.known->values.size() != 1) return std::nullopt;
  return value.known->values[0].constant();
}

}  // namespace jitney::onnx
