// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "frontend/onnx/declared.h"
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
  /// Instead: what it declares, and whether every operator in it is supported.
  Expected<Declared> look();

 private:
  using FunctionKey = std::tuple<std::string, std::string, std::string>;  // domain, name, overload

  Expected<ir::Graph> import_graph();
  Expected<int> opset_of(const google::protobuf::RepeatedPtrField<proto::OperatorSetIdProto>& imports,
                         const std::string& where);
  Status add_functions();
  Status add_input(const proto::ValueInfoProto& input, Scope& scope);
  // given_inputs.cpp: sequences, optionals, and inputs whose values are known
  Status add_given(const proto::ValueInfoProto& input, const GivenInput& given, Scope& scope);
  ModelValuePtr add_tensor(const std::string& name, DType dtype, ir::Shape shape);
  /// Of all nodes, those of subgraphs and functions too.
  Status check_operators();
  Status check_operators(const Nodes& nodes, int opset);
  Status add_initializers(const proto::GraphProto& graph, Scope& scope);
  /// From the caller's weights where it has it.
  Expected<Tensor> read_initializer(const proto::TensorProto& initializer, const std::string& what);
  Expected<ir::Dim> extent_of(const proto::TensorShapeProto::Dimension& dim, const std::string& input, int axis);
  Status add_outputs(const proto::GraphProto& graph, const Scope& scope);

  Status import_nodes(const Nodes& nodes, Scope& scope);
  Status import_node(const proto::NodeProto& node, Scope& scope);
  Status import_operator(const proto::NodeProto& node, Scope& scope, std::vector<ModelValuePtr> inputs);
  Status import_if(const proto::NodeProto& node, Scope& scope, const std::vector<ModelValuePtr>& inputs);
  // control.cpp: what is decided when the model runs
  // unrolled.cpp: sequences and optionals in loops, whose rounds are written out one after another
  bool has_structure(const proto::GraphProto& body, const std::vector<ModelValuePtr>& inputs, const Scope& scope) const;
  Status import_unrolled_loop(const proto::NodeProto& node, Scope& scope, const std::vector<ModelValuePtr>& inputs);
  Status import_sequence_map(const proto::NodeProto& node, Scope& scope, const std::vector<ModelValuePtr>& inputs);
  /// A scope for all rounds, with the body's initializers.
  Status begin_rounds(const proto::GraphProto& body, const Scope& scope, Scope& around);
  /// The outputs of a body for these inputs.
  Expected<std::vector<ModelValuePtr>> import_round(const proto::GraphProto& body, Scope& scope, std::size_t round,
                                                    const std::vector<ModelValuePtr>& inputs);
  struct Captures;
  struct Body;
  struct LoopSpec;
  Captures captured_by(const std::vector<const proto::GraphProto*>& graphs, Scope& scope);
  /// A subgraph as a graph of its own. Its first inputs are `formals`, whose names it has; then come the captures.
  Expected<Body> import_body(const proto::GraphProto& graph, Scope& scope, const std::vector<ModelValuePtr>& formals,
                             const Captures& captures, const std::function<Status(Scope&)>& prepare,
                             const std::vector<ModelValuePtr>& first_outputs);
  Status import_branch(const proto::NodeProto& node, Scope& scope, const ModelValuePtr& condition);
  Status add_branch(const proto::NodeProto& node, Scope& scope, std::vector<ir::ValueId> inputs, const Body& a,
                    const Body& b);
  // choices.cpp: axes that are data
  struct Choices;
  /// Whether the node was imported as a choice among all axes that it may be given.
  Expected<bool> import_choices(const proto::NodeProto& node, Scope& scope, const std::vector<ModelValuePtr>& inputs);
  Status import_choice(const Choices& choices, std::size_t from, Scope& scope);
  Status import_loop(const proto::NodeProto& node, Scope& scope, const std::vector<ModelValuePtr>& inputs);
  Status import_scan(const proto::NodeProto& node, Scope& scope, const std::vector<ModelValuePtr>& inputs);
  Expected<std::vector<ir::ValueId>> add_loop(const proto::NodeProto& node, Scope& scope, const LoopSpec& spec);
  Status set_outputs(const proto::NodeProto& node, Scope& scope, const std::vector<ir::ValueId>& ids);

  Status inline_function(const proto::FunctionProto& function, const proto::NodeProto& call, Scope& scope,
                         const std::vector<ModelValuePtr>& inputs);

  proto::ModelProto& model_;
  const ImportOptions options_;
  GraphBuilder builder_;
  TensorReader tensors_;
  std::map<FunctionKey, const proto::FunctionProto*> functions_;
  std::map<std::string, std::string> symbol_of_param_;  // a dim_param may be any text; a symbol is a name
  std::vector<const proto::FunctionProto*> call_stack_;
  std::size_t nodes_imported_ = 0, weights_used_ = 0;
};

}  // namespace jitney::onnx
