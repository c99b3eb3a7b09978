// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "frontend/onnx/given.h"
#include "frontend/onnx/schema.h"
#include "util/expected.h"

namespace jitney::onnx {

/// The type of an input or output: optional, a sequence, and of which tensors.
struct DeclaredType {
  ValueKind kind = ValueKind::tensor;
  bool is_optional = false;
  const proto::TypeProto_Tensor* tensor = nullptr;
};
/// Errors (user): maps, sparse tensors, sequences of anything but tensors. what: "input 'x'".
Expected<DeclaredType> declared_type(const proto::TypeProto& type, const std::string& what);

/// Of a parsed model; its operators are not looked at.
Expected<Declared> declared_of(const proto::ModelProto& model);

}  // namespace jitney::onnx
