// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "ir/graph.h"

#include <algorithm>

#include "ir/attributes.h"

namespace jitney::ir {

std::int64_t Node::integer(std::string_view key) const { return attribute<std::int64_t>(attributes, op, name, key); }
double Node::real(std::string_view key) const { return attribute<double>(attributes, op, name, key); }
const std::string& Node::text(std::string_view key) const { return attribute<std::string>(attributes, op, name, key); }
const std::vector<std::int64_t>& Node::integers(std::string_view key) const {
  return attribute<std::vector<std::int64_t>>(attributes, op, name, key);
}
const std::vector<Dim>& Node::dims(std::string_view key) const {
  return attribute<std::vector<Dim>>(attributes, op, name, key);
}
const Graph& Node::graph(std::string_view key) const {
  const auto& body = attribute<std::shared_ptr<const Graph>>(attributes, op, name, key);
  if (body == nullptr) throw std::logic_error(fmt::format("attribute '{}' of node '{}' is a null graph", key, name));
  return *body;
}

ValueId Graph::add_value(std::string value_name, DType dtype, Shape shape) {
  values.push_back({std::move(value_name), dtype, std::move(shape), nullptr});
  return static_cast<ValueId>(values.size() - 1);
}

ValueId Graph::add_constant(std::string value_name, Tensor tensor) {
  const Shape shape(tensor.shape().begin(), tensor.shape().end());
  const ValueId id = add_value(std::move(value_name), tensor.dtype(), shape);
  value(id).constant = std::make_shared<const Tensor>(std::move(tensor));
  return id;
}

ValueId Graph::add_node(Op op, std::string node_name, std::vector<ValueId> node_inputs, DType dtype, Shape shape,
                        Attributes attributes) {
  // The output is named after the node; the number keeps it unique.
  const ValueId id = add_value(fmt::format("{}.{}", node_name, values.size()), dtype, std::move(shape));
  nodes.push_back({op, std::move(node_name), std::move(node_inputs), {id}, std::move(attributes)});
  return id;
}

ValueId Graph::add_body_node(Op op, std::string node_name, std::vector<ValueId> node_inputs, DType dtype, Shape shape,
                             Attributes attributes) {
  const ValueId id = add_value(unused_name(node_name), dtype, std::move(shape));
  nodes.push_back({op, std::move(node_name), std::move(node_inputs), {id}, std::move(attributes)});
  return id;
}

std::string Graph::unused_name(const std::string& base) const {
  std::string name = base;
  const auto taken = [&](const Value& v) { return v.name == name; };
  for (int i = 1; std::any_of(values.begin(), values.end(), taken); ++i) name = fmt::format("{}'{}", base, i);
  return name;
}

std::vector<int> Graph::producers() const {
  std::vector<int> result(values.size(), -1);
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    for (const ValueId id : nodes[i].outputs) result.at(static_cast<std::size_t>(id)) = static_cast<int>(i);
  }
  return result;
}

std::vector<int> Graph::use_counts() const {
  std::vector<int> result(values.size(), 0);
  for (const Node& node : nodes) {
    for (const ValueId id : node.inputs) {
      if (id != kNoValue) ++result.at(static_cast<std::size_t>(id));
    }
  }
  for (const ValueId id : outputs) ++result.at(static_cast<std::size_t>(id));
  return result;
}

}  // namespace jitney::ir
