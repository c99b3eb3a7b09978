// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <span>
#include <string>
#include <vector>

#include "frontend/onnx/import.h"
#include "frontend/onnx/schema.h"

namespace jitney::onnx::testing {

/// An extent of a declared shape: a number, a name, or "" for an unknown one.
struct Extent {
  Extent(int value) : value(value) {}                  // NOLINT(google-explicit-constructor)
  Extent(const char* name) : value(-1), name(name) {}  // NOLINT(google-explicit-constructor)
  std::int64_t value;
  std::string name;
};

/// Sets attributes of one node.
class NodeBuilder {
 public:
  explicit NodeBuilder(proto::NodeProto& node) : node_(node) {}
  NodeBuilder& name(const std::string& name) {
    node_.set_name(name);
    return *this;
  }
  NodeBuilder& domain(const std::string& domain) {
    node_.set_domain(domain);
    return *this;
  }
  NodeBuilder& integer(const std::string& name, std::int64_t value) {
    add(name, proto::AttributeProto::INT).set_i(value);
    return *this;
  }
  NodeBuilder& real(const std::string& name, float value) {
    add(name, proto::AttributeProto::FLOAT).set_f(value);
    return *this;
  }
  NodeBuilder& text(const std::string& name, const std::string& value) {
    add(name, proto::AttributeProto::STRING).set_s(value);
    return *this;
  }
  NodeBuilder& integers(const std::string& name, std::initializer_list<std::int64_t> values) {
    auto& attribute = add(name, proto::AttributeProto::INTS);
    for (const std::int64_t value : values) attribute.add_ints(value);
    return *this;
  }
  NodeBuilder& reference(const std::string& name, const std::string& parameter) {
    add(name, proto::AttributeProto::INT).set_ref_attr_name(parameter);
    return *this;
  }
  proto::TensorProto& tensor(const std::string& name) { return *add(name, proto::AttributeProto::TENSOR).mutable_t(); }
  proto::GraphProto& graph(const std::string& name) { return *add(name, proto::AttributeProto::GRAPH).mutable_g(); }
  proto::NodeProto& proto() { return node_; }

 private:
  proto::AttributeProto& add(const std::string& name, proto::AttributeProto::AttributeType type) {
    auto& attribute = *node_.add_attribute();
    attribute.set_name(name);
    attribute.set_type(type);
    return attribute;
  }
  proto::NodeProto& node_;
};

inline NodeBuilder add_node(google::protobuf::RepeatedPtrField<proto::NodeProto>& nodes, const std::string& op,
                            const std::vector<std::string>& inputs, const std::vector<std::string>& outputs) {
  auto& node = *nodes.Add();
  node.set_op_type(op);
  for (const auto& input : inputs) node.add_input(input);
  for (const auto& output : outputs) node.add_output(output);
  return NodeBuilder(node);
}

/// Builds small models.
class ModelBuilder {
 public:
  explicit ModelBuilder(int opset = 18) {
    model.set_ir_version(8);
    model.add_opset_import()->set_version(opset);
    model.mutable_graph()->set_name("test");
  }

  proto::GraphProto& graph() { return *model.mutable_graph(); }

  ModelBuilder& input(const std::string& name, std::vector<Extent> shape, int type = proto::TensorProto::FLOAT) {
    auto& value = *graph().add_input();
    value.set_name(name);
    auto& tensor = *value.mutable_type()->mutable_tensor_type();
    tensor.set_elem_type(type);
    tensor.mutable_shape();
    for (const Extent& extent : shape) {
      auto& dim = *tensor.mutable_shape()->add_dim();
      if (extent.value >= 0 || extent.value < -1) dim.set_dim_value(extent.value);
      if (!extent.name.empty()) dim.set_dim_param(extent.name);
    }
    return *this;
  }
  ModelBuilder& output(const std::string& name) {
    graph().add_output()->set_name(name);
    return *this;
  }
  NodeBuilder node(const std::string& op, const std::vector<std::string>& inputs,
                   const std::vector<std::string>& outputs) {
    return add_node(*graph().mutable_node(), op, inputs, outputs);
  }

  template <class T>
  proto::TensorProto& raw(const std::string& name, int type, const std::vector<std::int64_t>& shape,
                          const std::vector<T>& data) {
    auto& tensor = *graph().add_initializer();
    fill(tensor, type, shape, data);
    tensor.set_name(name);
    return tensor;
  }
  template <class T>
  static void fill(proto::TensorProto& tensor, int type, const std::vector<std::int64_t>& shape,
                   const std::vector<T>& data) {
    tensor.set_data_type(type);
    for (const std::int64_t extent : shape) tensor.add_dims(extent);
    std::string bytes(data.size() * sizeof(T), '\0');
    if (!data.empty()) std::memcpy(bytes.data(), data.data(), bytes.size());
    tensor.set_raw_data(bytes);
  }
  ModelBuilder& reals(const std::string& name, const std::vector<std::int64_t>& shape, const std::vector<float>& data) {
    raw(name, proto::TensorProto::FLOAT, shape, data);
    return *this;
  }
  /// All elements 1.
  ModelBuilder& ones(const std::string& name, const std::vector<std::int64_t>& shape) {
    std::int64_t count = 1;
    for (const std::int64_t extent : shape) count *= extent;
    return reals(name, shape, std::vector<float>(static_cast<std::size_t>(count), 1));
  }
  ModelBuilder& integers(const std::string& name, const std::vector<std::int64_t>& data) {
    raw(name, proto::TensorProto::INT64, {static_cast<std::int64_t>(data.size())}, data);
    return *this;
  }
  ModelBuilder& integer(const std::string& name, std::int64_t value) {
    raw(name, proto::TensorProto::INT64, {}, std::vector<std::int64_t>{value});
    return *this;
  }

  Expected<ir::Graph> import(const ImportOptions& options = {}) const {
    const std::string bytes = model.SerializeAsString();
    return import_bytes(std::as_bytes(std::span(bytes)), std::nullopt, options);
  }

  proto::ModelProto model;
};

/// A function of the domain "local", whose nodes are still to come.
inline proto::FunctionProto& add_function(ModelBuilder& m, const std::string& name,
                                          const std::vector<std::string>& inputs,
                                          const std::vector<std::string>& outputs) {
  auto& function = *m.model.add_functions();
  function.set_name(name);
  function.set_domain("local");
  for (const auto& input : inputs) function.add_input(input);
  for (const auto& output : outputs) function.add_output(output);
  function.add_opset_import()->set_version(18);
  return function;
}

/// The failure's message; "" for success.
inline std::string message_of(const Expected<ir::Graph>& graph) { return graph ? "" : graph.error().message; }

}  // namespace jitney::onnx::testing
