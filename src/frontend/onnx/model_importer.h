// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "frontend/onnx/graph_builder.h"
#include "frontend/onnx/import.h"
#include "frontend/onnx/schema.h"
#include "frontend/onnx/scope.h"
#include "frontend/onnx/tensor_proto.h"
#include "frontend/onnx/topology.h"

namespace jitney::onnx {

/// Imports one parsed model; used once. The model is consumed: weights leave it as they are read.
class ModelImporter {
 public:
  /// `in_file`: initializers whose data was left in the model's file.
  ModelImporter(proto::ModelProto& model, std::optional<std::string> base_directory, const ImportOptions& options,
                const DataInFile* in_file = nullptr);
  Expected<ir::Graph> run();

 private:
  using FunctionKey = std::tuple<std::string, std::string, std::string>;  // domain, name, overload

  Expected<int> opset_of(const google::protobuf::RepeatedPtrField<proto::OperatorSetIdProto>& imports,
                         const std::string& where);
  Status add_functions();
  Status add_input(const proto::ValueInfoProto& input, Scope& scope);
  Status add_initializers(proto::GraphProto& graph, Scope& scope);
  Expected<ir::Dim> extent_of(const proto::TensorShapeProto::Dimension& dim, const std::string& input, int axis);
  Status add_outputs(const proto::GraphProto& graph, const Scope& scope);

  Status import_nodes(const Nodes& nodes, Scope& scope);
  Status import_node(const proto::NodeProto& node, Scope& scope);
  Status import_operator(const proto::NodeProto& node, Scope& scope, std::vector<ModelValuePtr> inputs);
  Status import_if(const proto::NodeProto& node, Scope& scope, const std::vector<ModelValuePtr>& inputs);
  Status inline_function(const proto::FunctionProto& function, const proto::NodeProto& call, Scope& scope,
                         const std::vector<ModelValuePtr>& inputs);

  proto::ModelProto& model_;
  const ImportOptions options_;
  GraphBuilder builder_;
  TensorReader tensors_;
  std::map<FunctionKey, const proto::FunctionProto*> functions_;
  std::map<std::string, std::string> symbol_of_param_;  // a dim_param may be any text; a symbol is a name
  std::vector<const proto::FunctionProto*> call_stack_;
  std::size_t nodes_imported_ = 0;
};

}  // namespace jitney::onnx
