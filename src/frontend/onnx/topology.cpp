// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "frontend/onnx/topology.h"

#include <unordered_map>
#include <unordered_set>

namespace jitney::onnx {
namespace {

using proto::AttributeProto;
using proto::GraphProto;
using proto::NodeProto;

/// Inputs, and what its subgraphs take from outside. Absent inputs left out.
std::vector<std::string> used_names(const NodeProto& node) {
  std::vector<std::string> names;
  for (const std::string& input : node.input()) {
    if (!input.empty()) names.push_back(input);
  }
  const auto add = [&names](const GraphProto& graph) {
    for (std::string& name : free_names(graph)) names.push_back(std::move(name));
  };
  for (const AttributeProto& attribute : node.attribute()) {
    if (attribute.has_g()) add(attribute.g());
    for (const GraphProto& graph : attribute.graphs()) add(graph);
  }
  return names;
}

}  // namespace

std::string name_of(const NodeProto& node) {
  if (!node.name().empty()) return node.name();
  return node.output_size() > 0 ? fmt::format("{}_{}", node.op_type(), node.output(0)) : node.op_type();
}

std::vector<std::string> free_names(const GraphProto& graph) {
  std::unordered_set<std::string> defined;
  for (const auto& input : graph.input()) defined.insert(input.name());
  for (const auto& tensor : graph.initializer()) defined.insert(tensor.name());
  for (const auto& tensor : graph.sparse_initializer()) defined.insert(tensor.values().name());
  for (const NodeProto& node : graph.node()) defined.insert(node.output().begin(), node.output().end());
  std::vector<std::string> names;
  std::unordered_set<std::string> seen;
  const auto use = [&](const std::string& name) {
    if (!defined.contains(name) && seen.insert(name).second) names.push_back(name);
  };
  for (const NodeProto& node : graph.node()) {
    for (const std::string& name : used_names(node)) use(name);
  }
  for (const auto& output : graph.output()) use(output.name());
  return names;
}

Expected<std::vector<int>> execution_order(const Nodes& nodes,
                                           const std::function<bool(const std::string&)>& is_defined) {
  std::unordered_map<std::string, int> producer;
  for (int i = 0; i < nodes.size(); ++i) {
    for (const std::string& output : nodes.Get(i).output()) {
      if (output.empty()) continue;
      const auto [entry, added] = producer.emplace(output, i);
      if (!added || is_defined(output)) {
        return user_error("value '{}' is defined twice; the second time by node '{}'", output, name_of(nodes.Get(i)));
      }
    }
  }
  std::vector<std::vector<int>> needs(static_cast<std::size_t>(nodes.size()));
  for (int i = 0; i < nodes.size(); ++i) {
    for (const std::string& name : used_names(nodes.Get(i))) {
      if (const auto found = producer.find(name); found != producer.end()) {
        needs[static_cast<std::size_t>(i)].push_back(found->second);
      } else if (!is_defined(name)) {
        return user_error("node '{}' uses value '{}', which no input, initializer or node defines",
                          name_of(nodes.Get(i)), name);
      }
    }
  }

  // Depth first from each node in the model's order. A node met again while still open closes a cycle.
  enum class Mark : unsigned char { unseen, open, done };
  std::vector<Mark> marks(needs.size(), Mark::unseen);
  std::vector<int> order;
  std::vector<std::pair<int, std::size_t>> stack;  // node, next need
  for (int root = 0; root < nodes.size(); ++root) {
    if (marks[static_cast<std::size_t>(root)] != Mark::unseen) continue;
    marks[static_cast<std::size_t>(root)] = Mark::open;
    stack.emplace_back(root, 0);
    while (!stack.empty()) {
      const auto at = static_cast<std::size_t>(stack.back().first);
      if (stack.back().second == needs[at].size()) {
        marks[at] = Mark::done;
        order.push_back(stack.back().first);
        stack.pop_back();
        continue;
      }
      const int next = needs[at][stack.back().second++];
      Mark& mark = marks[static_cast<std::size_t>(next)];
      if (mark == Mark::open) {
        return user_error("the model has a cycle: node '{}' depends on its own output", name_of(nodes.Get(next)));
      }
      if (mark == Mark::unseen) {
        mark = Mark::open;
        stack.emplace_back(next, 0);
      }
    }
  }
  return order;
}

}  // namespace jitney::onnx
