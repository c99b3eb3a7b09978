// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
// What is replaced by the nodes that it holds: functions of the model, and If whose condition is known.
#include <algorithm>

#include "frontend/onnx/model_importer.h"

namespace jitney::onnx {
namespace {

using proto::AttributeProto;
using proto::FunctionProto;
using proto::GraphProto;
using proto::NodeProto;

using Arguments = std::map<std::string, const AttributeProto*>;

bool refers(const NodeProto& node) {
  return std::any_of(node.attribute().begin(), node.attribute().end(), [](const AttributeProto& attribute) {
    return !attribute.ref_attr_name().empty() || attribute.has_g() || attribute.graphs_size() > 0;
  });
}

/// Replaces attributes that refer to the function's parameters by the call's, and drops those that the call left out.
/// One argument may be wanted many times: each copy is charged.
Status substitute(Nodes& nodes, const Arguments& arguments, TensorReader& tensors) {
  for (NodeProto& node : nodes) {
    if (!refers(node)) continue;
    google::protobuf::RepeatedPtrField<AttributeProto> kept;
    for (AttributeProto& attribute : *node.mutable_attribute()) {
      if (!attribute.ref_attr_name().empty()) {
        const auto found = arguments.find(attribute.ref_attr_name());
        if (found == arguments.end()) continue;
        JITNEY_CHECK(tensors.charge_repeated(found->second->ByteSizeLong(),
                                             fmt::format("attribute '{}' of a function", attribute.ref_attr_name())));
        AttributeProto* copy = kept.Add();
        *copy = *found->second;
        copy->set_name(attribute.name());
        continue;
      }
      if (attribute.has_g()) JITNEY_CHECK(substitute(*attribute.mutable_g()->mutable_node(), arguments, tensors));
      for (GraphProto& graph : *attribute.mutable_graphs())
        JITNEY_CHECK(substitute(*graph.mutable_node(), arguments, tensors));
      *kept.Add() = std::move(attribute);
    }
    node.mutable_attribute()->Swap(&kept);
  }
  return {};
}

}  // namespace

Status ModelImporter::inline_function(const FunctionProto& function, const NodeProto& call, Scope& scope,
                                      const std::vector<ModelValuePtr>& inputs) {
  const std::string call_name = scope.prefix + name_of(call);
  if (std::find(call_stack_.begin(), call_stack_.end(), &function) != call_stack_.end()) {
    return user_error("function '{}' calls itself at node '{}'; recursion is not supported", function.name(),
                      call_name);
  }
  if (scope.depth >= options_.max_depth)
    return user_error("functions are nested more than {} deep at node '{}'", options_.max_depth, call_name);
  if (call.input_size() > function.input_size() || call.output_size() > function.output_size()) {
    return user_error("node '{}' calls function '{}' with {} inputs and {} outputs; it has {} and {}", call_name,
                      function.name(), call.input_size(), call.output_size(), function.input_size(),
                      function.output_size());
  }

  Scope body;
  body.depth = scope.depth + 1;
  body.prefix = call_name + "/";
  body.opset = scope.opset;
  const auto& imports = function.opset_import();
  if (std::any_of(imports.begin(), imports.end(),
                  [](const auto& i) { return i.domain().empty() || i.domain() == "ai.onnx"; })) {
    JITNEY_TRY(body.opset, opset_of(imports, fmt::format("function '{}'", function.name())));
  }
  for (int i = 0; i < function.input_size(); ++i) {
    const ModelValuePtr value = i < static_cast<int>(inputs.size()) ? inputs[static_cast<std::size_t>(i)] : nullptr;
    if (!body.values.emplace(function.input(i), value).second) {
      return user_error("function '{}' has two inputs named '{}'", function.name(), function.input(i));
    }
  }

  Arguments arguments;
  for (const AttributeProto& standard : function.attribute_proto()) arguments[standard.name()] = &standard;
  for (const AttributeProto& given : call.attribute()) arguments[given.name()] = &given;
  call_stack_.push_back(&function);
  if (std::any_of(function.node().begin(), function.node().end(), refers)) {
    Nodes nodes = function.node();
    JITNEY_CHECK(substitute(nodes, arguments, tensors_));
    const TensorReader::Copies copies(tensors_);
    JITNEY_CHECK(import_nodes(nodes, body));
  } else {
    JITNEY_CHECK(import_nodes(function.node(), body));
  }
  call_stack_.pop_back();

  for (int i = 0; i < call.output_size(); ++i) {
    if (call.output(i).empty()) continue;
    const ModelValuePtr* value = body.find(function.output(i));
    if (value == nullptr || *value == nullptr)
      return user_error("function '{}' does not define its output '{}'", function.name(), function.output(i));
    scope.values[call.output(i)] = *value;
  }
  return {};
}

Status ModelImporter::import_if(const NodeProto& node, Scope& scope, const std::vector<ModelValuePtr>& inputs) {
  const std::string name = builder_.node_name();
  if (scope.depth >= options_.max_depth)
    return user_error("subgraphs are nested more than {} deep at node '{}'", options_.max_depth, name);
  if (inputs.size() != 1 || inputs[0] == nullptr) return user_error("operator 'If' at node '{}' takes one input", name);
  const auto condition = known_scalar(*inputs[0]);
  if (!condition) return import_branch(node, scope, inputs[0]);
  const char* branch_name = *condition != 0 ? "then_branch" : "else_branch";
  for (const AttributeProto& attribute : node.attribute()) {
    if (attribute.name() != branch_name || !attribute.has_g()) continue;
    const GraphProto& branch = attribute.g();
    if (branch.input_size() > 0 || branch.output_size() != node.output_size()) {
      return user_error("operator 'If' at node '{}' has {} outputs, but its {} has {} inputs and {} outputs", name,
                        node.output_size(), branch_name, branch.input_size(), branch.output_size());
    }
    Scope inner;
    inner.parent = &scope;
    inner.depth = scope.depth + 1;
    inner.opset = scope.opset;
    inner.prefix = scope.prefix;
    JITNEY_CHECK(add_initializers(branch, inner));
    JITNEY_CHECK(import_nodes(branch.node(), inner));
    for (int i = 0; i < node.output_size(); ++i) {
      if (node.output(i).empty()) continue;
      const ModelValuePtr* value = inner.find(branch.output(i).name());
      if (value == nullptr || *value == nullptr) {
        return user_error("the {} of node '{}' does not define its output '{}'", branch_name, name,
                          branch.output(i).name());
      }
      scope.values[node.output(i)] = *value;
    }
    return {};
  }
  return user_error("operator 'If' at node '{}' has no {}", name, branch_name);
}

}  // namespace jitney::onnx
