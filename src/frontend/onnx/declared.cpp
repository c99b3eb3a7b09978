// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "frontend/onnx/declared.h"

#include <set>

#include "frontend/onnx/model_importer.h"
#include "frontend/onnx/registry.h"

namespace jitney::onnx {

Expected<DeclaredType> declared_type(const proto::TypeProto& type, const std::string& what) {
  DeclaredType declared;
  const proto::TypeProto* inner = &type;
  if (inner->has_optional_type()) {
    declared.is_optional = true;
    inner = &inner->optional_type().elem_type();
  }
  if (inner->has_sequence_type()) {
    declared.kind = ValueKind::sequence;
    inner = &inner->sequence_type().elem_type();
  }
  if (!inner->has_tensor_type())
    return user_error("{} has a type that is not supported: tensors, sequences of tensors, and optionals of both are",
                      what);
  declared.tensor = &inner->tensor_type();
  return declared;
}

namespace {

Expected<TensorInfo> describe(const proto::ValueInfoProto& value, const char* role) {
  const std::string what = fmt::format("{} '{}'", role, value.name());
  if (value.name().empty()) return user_error("the model has an {} without a name", role);
  JITNEY_TRY(const DeclaredType type, declared_type(value.type(), what));
  JITNEY_TRY(const DType dtype, to_dtype(type.tensor->elem_type(), what));
  TensorInfo info{
      .name = value.name(), .dtype = dtype, .shape = {}, .kind = type.kind, .is_optional = type.is_optional};
  if (!type.tensor->has_shape()) info.shape.emplace_back("...");
  for (int axis = 0; axis < type.tensor->shape().dim_size(); ++axis) {
    const auto& dim = type.tensor->shape().dim(axis);
    if (dim.has_dim_value()) {
      info.shape.push_back(std::to_string(dim.dim_value()));
    } else {
      info.shape.push_back(dim.dim_param().empty() ? fmt::format("{}.d{}", value.name(), axis) : dim.dim_param());
    }
  }
  return info;
}

}  // namespace

Expected<Declared> declared_of(const proto::ModelProto& model) {
  Declared declared;
  declared.name = model.graph().name();
  std::set<std::string> initialized, names;
  for (const auto& initializer : model.graph().initializer()) initialized.insert(initializer.name());
  for (const auto& input : model.graph().input()) {
    if (initialized.contains(input.name())) continue;
    JITNEY_TRY(TensorInfo info, describe(input, "input"));
    if (info.kind == ValueKind::tensor && !info.is_optional && info.shape == std::vector<std::string>{"..."})
      return user_error("input '{}' declares no rank", input.name());
    if (!names.insert(input.name()).second) return user_error("input '{}' is defined twice", input.name());
    declared.inputs.push_back(std::move(info));
  }
  for (const auto& output : model.graph().output()) {
    JITNEY_TRY(TensorInfo info, describe(output, "output"));
    declared.outputs.push_back(std::move(info));
  }
  if (declared.outputs.empty()) return user_error("the model has no outputs");
  return declared;
}

Status ModelImporter::check_operators() {
  for (const auto& function : model_.functions()) {
    JITNEY_TRY(const int opset, opset_of(function.opset_import(), fmt::format("function '{}'", function.name())));
    JITNEY_CHECK(check_operators(function.node(), opset));
  }
  JITNEY_TRY(const int opset, opset_of(model_.opset_import(), "the model"));
  return check_operators(model_.graph().node(), opset);
}

// The depth of what is nested was bounded while the file was parsed.
Status ModelImporter::check_operators(const Nodes& nodes, int opset) {  // NOLINT(misc-no-recursion)
  static const std::set<std::string_view> control{"If", "Loop", "Scan", "SequenceMap"};
  for (const proto::NodeProto& node : nodes) {
    for (const proto::AttributeProto& attribute : node.attribute())
      if (attribute.has_g()) JITNEY_CHECK(check_operators(attribute.g().node(), opset));
    if (functions_.contains({node.domain(), node.op_type(), node.overload()})) continue;
    const bool standard = node.domain().empty() || node.domain() == "ai.onnx";
    if (!standard)
      return user_error("operator '{}' of domain '{}' at node '{}' is not supported", node.op_type(), node.domain(),
                        name_of(node));
    if (!control.contains(node.op_type()) && find_operator(node.op_type()) == nullptr)
      return user_error("operator '{}' (opset {}) at node '{}' is not supported", node.op_type(), opset, name_of(node));
  }
  return {};
}

}  // namespace jitney::onnx
