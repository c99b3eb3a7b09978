// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
// Inputs of a model that a graph has no type for, once it is known what a run gives them.
#include "frontend/onnx/model_importer.h"

namespace jitney::onnx {

using ir::Dim;
using ir::Shape;

ModelValuePtr ModelImporter::add_tensor(const std::string& name, DType dtype, Shape shape) {
  auto value = std::make_shared<ModelValue>();
  value->name = name;
  value->dtype = dtype;
  value->shape = std::move(shape);
  value->id = builder_.graph.add_value(builder_.unique(name), dtype, value->shape);
  builder_.keep_name(value->id);
  builder_.graph.inputs.push_back(value->id);
  return value;
}

Status ModelImporter::add_given(const proto::ValueInfoProto& input, const GivenInput& given, Scope& scope) {
  const std::string what = fmt::format("input '{}'", input.name());
  JITNEY_TRY(const DeclaredType declared, declared_type(input.type(), what));
  JITNEY_TRY(const DType dtype, to_dtype(declared.tensor->elem_type(), what));
  const bool has_shape = declared.tensor->has_shape();
  std::vector<ModelValuePtr> items;
  for (std::size_t i = 0; given.value == nullptr && i < given.ranks.size(); ++i) {
    const bool is_item = given.kind == ValueKind::sequence;
    const std::string name = is_item ? fmt::format("{}.{}", input.name(), i) : input.name();
    if (has_shape && static_cast<std::size_t>(declared.tensor->shape().dim_size()) != given.ranks[i])
      return user_error("input '{}' must have rank {}, not {}", name, declared.tensor->shape().dim_size(),
                        given.ranks[i]);
    Shape shape;
    for (std::size_t axis = 0; axis < given.ranks[i]; ++axis) {
      proto::TensorShapeProto::Dimension dim;
      if (has_shape) dim = declared.tensor->shape().dim(static_cast<int>(axis));
      // The tensors of a sequence need not have one extent where a name stands for it.
      if (is_item && dim.has_dim_param()) dim.clear_dim_param();
      JITNEY_TRY(Dim extent, extent_of(dim, name, static_cast<int>(axis)));
      shape.push_back(std::move(extent));
    }
    items.push_back(add_tensor(name, dtype, std::move(shape)));
  }
  ModelValuePtr value;
  if (given.value != nullptr) {
    value = make_constant(input.name(), *given.value);
  } else if (given.kind == ValueKind::tensor) {
    value = items.at(0);
  } else {
    value = std::make_shared<ModelValue>();
    value->name = input.name();
    value->dtype = dtype;
    value->is_none = given.kind == ValueKind::none;
    if (!value->is_none) value->sequence = std::make_shared<const std::vector<ModelValuePtr>>(std::move(items));
  }
  if (!scope.values.emplace(input.name(), std::move(value)).second) return user_error("{} is defined twice", what);
  return {};
}

}  // namespace jitney::onnx
