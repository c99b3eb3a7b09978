// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
// Loops over sequences and optionals, and SequenceMap: their rounds are written out one after another, since how many
// tensors a sequence has is known only while importing.
#include <algorithm>

#include "frontend/onnx/control.h"

namespace jitney::onnx {

using ir::Dim;
using ir::Op;
using ir::ValueId;
using proto::GraphProto;
using proto::NodeProto;

namespace {

bool is_structure(const ModelValuePtr& value) { return value != nullptr && (value->sequence || value->is_none); }

/// The outputs of a body that the node declares as sequences or optionals.
bool gives_structure(const GraphProto& body) {
  return std::any_of(body.output().begin(), body.output().end(), [](const auto& output) {
    return output.type().has_sequence_type() || output.type().has_optional_type();
  });
}

}  // namespace

bool ModelImporter::has_structure(const GraphProto& body, const std::vector<ModelValuePtr>& inputs,
                                  const Scope& scope) const {
  if (std::any_of(inputs.begin(), inputs.end(), is_structure) || gives_structure(body)) return true;
  const auto names = free_names(body);
  return std::any_of(names.begin(), names.end(), [&](const std::string& name) {
    const ModelValuePtr* found = scope.find(name);
    return found != nullptr && is_structure(*found);
  });
}

Status ModelImporter::begin_rounds(const GraphProto& body, const Scope& scope, Scope& around) {
  around.parent = &scope;
  around.opset = scope.opset;
  around.depth = scope.depth;
  around.prefix = scope.prefix;
  return add_initializers(body, around);
}

Expected<std::vector<ModelValuePtr>> ModelImporter::import_round(const GraphProto& body, Scope& scope,
                                                                 std::size_t round,
                                                                 const std::vector<ModelValuePtr>& inputs) {
  const std::string name = builder_.node_name();
  if (scope.depth >= options_.max_depth)
    return user_error("subgraphs are nested more than {} deep at node '{}'", options_.max_depth, name);
  Scope inner;
  inner.parent = &scope;
  inner.opset = scope.opset;
  inner.depth = scope.depth + 1;
  inner.prefix = fmt::format("{}/{}/", name, round);
  if (++nodes_imported_ > options_.max_nodes)  // a body may be empty, and loops in loops many rounds
    return user_error("the model has more than {} nodes, loops over sequences written out", options_.max_nodes);
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    if (!inner.values.emplace(body.input(static_cast<int>(i)).name(), inputs[i]).second)
      return user_error("the body of node '{}' has two inputs named '{}'", name,
                        body.input(static_cast<int>(i)).name());
  }
  JITNEY_CHECK(import_nodes(body.node(), inner));
  std::vector<ModelValuePtr> outputs;
  for (const auto& output : body.output()) {
    const ModelValuePtr* value = inner.find(output.name());
    if (value == nullptr || *value == nullptr)
      return user_error("the body of node '{}' does not define its output '{}'", name, output.name());
    outputs.push_back(*value);
  }
  builder_.begin_node(name, name);
  return outputs;
}

Status ModelImporter::import_unrolled_loop(const NodeProto& node, Scope& scope,
                                           const std::vector<ModelValuePtr>& inputs) {
  const std::string name = builder_.node_name();
  const GraphProto& body = find_attribute(node, "body")->g();
  const std::size_t carried = inputs.size() > 2 ? inputs.size() - 2 : 0;
  if (body.input_size() != static_cast<int>(carried) + 2 || body.output_size() != node.output_size() + 1 ||
      body.output_size() < static_cast<int>(carried) + 1)
    return user_error("operator 'Loop' at node '{}' carries {} values and has {} outputs; its body has {} and {}", name,
                      carried, node.output_size(), body.input_size(), body.output_size());
  const auto undecided = [&](const char* what) {
    builder_.set_open(Open::values);
    return user_error("operator 'Loop' at node '{}' is over sequences or optionals: its {} must be constant", name,
                      what);
  };
  // No limit, or always: where the model leaves them out.
  std::int64_t trips = INT64_MAX;
  if (!inputs.empty() && inputs[0] != nullptr) {
    const auto known = known_scalar(*inputs[0]);
    if (!known) return undecided("number of rounds");
    trips = *known;
  }
  ModelValuePtr condition = inputs.size() > 1 ? inputs[1] : nullptr;
  if (condition == nullptr) condition = make_known(name + ".always", DType::boolean, ShapeTensor::scalar(Dim(1)));
  std::vector<ModelValuePtr> values(inputs.size() > 2 ? inputs.begin() + 2 : inputs.end(), inputs.end());
  if (std::find(values.begin(), values.end(), nullptr) != values.end())
    return user_error("operator 'Loop' at node '{}' lacks a carried input", name);
  Scope around;
  JITNEY_CHECK(begin_rounds(body, scope, around));
  std::vector<std::vector<ModelValuePtr>> scanned(static_cast<std::size_t>(body.output_size()) - carried - 1);
  for (std::int64_t round = 0; round < trips; ++round) {
    const auto goes_on = known_scalar(*condition);
    if (!goes_on) return undecided("condition");
    if (*goes_on == 0) break;
    if (round == kMostItems)
      return user_error("operator 'Loop' at node '{}' is over sequences: it has more than {} rounds", name, kMostItems);
    std::vector<ModelValuePtr> given{
        make_known(fmt::format("{}.round{}", name, round), DType::i64, ShapeTensor::scalar(Dim(round))), condition};
    given.insert(given.end(), values.begin(), values.end());
    JITNEY_TRY(const auto outputs, import_round(body, around, static_cast<std::size_t>(round), given));
    condition = outputs[0];
    values.assign(outputs.begin() + 1, outputs.begin() + 1 + static_cast<std::ptrdiff_t>(carried));
    for (std::size_t i = 0; i < scanned.size(); ++i) scanned[i].push_back(outputs[carried + 1 + i]);
  }
  for (std::size_t i = 0; i < carried; ++i)
    if (const std::string& output = node.output(static_cast<int>(i)); !output.empty()) scope.values[output] = values[i];
  for (std::size_t i = 0; i < scanned.size(); ++i) {
    const std::string& output = node.output(static_cast<int>(carried + i));
    if (output.empty()) continue;
    if (scanned[i].empty())
      return user_error("operator 'Loop' at node '{}': output '{}' has no shape, as there is no round", name, output);
    std::vector<ValueId> rows;
    for (const ModelValuePtr& value : scanned[i]) {
      if (is_structure(value))
        return user_error("operator 'Loop' at node '{}': output '{}' gathers tensors, not sequences", name, output);
      const ValueId row = builder_.materialize(*value);
      ir::Shape shape = builder_.shape(row);
      shape.insert(shape.begin(), Dim(1));
      rows.push_back(builder_.reshape(row, shape));
    }
    const ValueId all =
        rows.size() == 1 ? rows[0] : builder_.node(Op::concat, std::move(rows), {{"axis", std::int64_t{0}}});
    JITNEY_CHECK(builder_.status());
    auto value = std::make_shared<ModelValue>();
    value->name = scope.prefix + output;
    value->dtype = builder_.dtype(all);
    value->shape = builder_.shape(all);
    value->id = all;
    scope.values[output] = std::move(value);
  }
  return builder_.status();
}

Status ModelImporter::import_sequence_map(const NodeProto& node, Scope& scope,
                                          const std::vector<ModelValuePtr>& inputs) {
  const std::string name = builder_.node_name();
  const proto::AttributeProto* attribute = find_attribute(node, "body");
  if (attribute == nullptr || !attribute->has_g())
    return user_error("operator 'SequenceMap' at node '{}' has no body", name);
  const GraphProto& body = attribute->g();
  if (inputs.empty() || inputs[0] == nullptr || !inputs[0]->sequence)
    return user_error("operator 'SequenceMap' at node '{}': its first input must be a sequence", name);
  if (body.input_size() != static_cast<int>(inputs.size()) || body.output_size() != node.output_size())
    return user_error("operator 'SequenceMap' at node '{}' has {} inputs and {} outputs; its body has {} and {}", name,
                      inputs.size(), node.output_size(), body.input_size(), body.output_size());
  const std::size_t count = inputs[0]->sequence->size();
  for (const ModelValuePtr& input : inputs) {
    if (input == nullptr || input->is_none)
      return user_error("operator 'SequenceMap' at node '{}' lacks an input", name);
    if (input->sequence && input->sequence->size() != count)
      return user_error("operator 'SequenceMap' at node '{}': '{}' has {} tensors, and '{}' has {}", name,
                        inputs[0]->name, count, input->name, input->sequence->size());
  }
  Scope around;
  JITNEY_CHECK(begin_rounds(body, scope, around));
  std::vector<std::vector<ModelValuePtr>> made(static_cast<std::size_t>(node.output_size()));
  for (std::size_t round = 0; round < count; ++round) {
    std::vector<ModelValuePtr> given;
    for (const ModelValuePtr& input : inputs) given.push_back(input->sequence ? (*input->sequence)[round] : input);
    JITNEY_TRY(const auto outputs, import_round(body, around, round, given));
    for (std::size_t i = 0; i < made.size(); ++i) {
      if (is_structure(outputs[i]))
        return user_error("operator 'SequenceMap' at node '{}': its body gives '{}', which is no tensor", name,
                          outputs[i]->name);
      if (round > 0 && outputs[i]->dtype != made[i][0]->dtype)
        return user_error("operator 'SequenceMap' at node '{}': a sequence of {} cannot hold {}", name,
                          to_string(made[i][0]->dtype), to_string(outputs[i]->dtype));
      made[i].push_back(outputs[i]);
    }
  }
  for (std::size_t i = 0; i < made.size(); ++i) {
    const auto& output = body.output(static_cast<int>(i));
    auto value = std::make_shared<ModelValue>();
    value->name = scope.prefix + node.output(static_cast<int>(i));
    if (made[i].empty()) {
      JITNEY_TRY(value->dtype, to_dtype(output.type().tensor_type().elem_type(),
                                        fmt::format("output '{}' of the body of node '{}'", output.name(), name)));
    } else {
      value->dtype = made[i][0]->dtype;
    }
    value->sequence = std::make_shared<const std::vector<ModelValuePtr>>(std::move(made[i]));
    if (!node.output(static_cast<int>(i)).empty()) scope.values[node.output(static_cast<int>(i))] = std::move(value);
  }
  return builder_.status();
}

}  // namespace jitney::onnx
