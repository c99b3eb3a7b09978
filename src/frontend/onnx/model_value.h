// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <jitney/tensor.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "frontend/onnx/shape_tensor.h"
#include "ir/graph.h"

namespace jitney::onnx {

/// A tensor of the model while it is imported. It becomes a value of the graph only when something uses it as
/// data, so that constants and computations that only serve shapes leave nothing behind.
struct ModelValue {
  std::string name;
  DType dtype = DType::f32;
  ir::Shape shape;
  ir::ValueId id = ir::kNoValue;           ///< once it is in the graph
  std::shared_ptr<const Tensor> constant;  ///< an initializer or a Constant
  std::optional<ShapeTensor> known;        ///< i64, i32 and boolean only
  /// A sequence of tensors of this dtype, instead of a tensor.
  std::shared_ptr<const std::vector<std::shared_ptr<ModelValue>>> sequence;
  bool is_none = false;  ///< an optional that holds nothing
};

/// Null: an optional input of a function that its caller left out.
using ModelValuePtr = std::shared_ptr<ModelValue>;

ModelValuePtr make_constant(std::string name, Tensor tensor);
/// The same tensor is one constant of a graph, whatever its names are.
ModelValuePtr make_constant(std::string name, std::shared_ptr<const Tensor> tensor);
ModelValuePtr make_known(std::string name, DType dtype, ShapeTensor known);

/// The one element of a value that is known while importing: no symbol, no data.
std::optional<std::int64_t> known_scalar(const ModelValue& value);

}  // namespace jitney::onnx
