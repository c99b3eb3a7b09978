// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
// Operators whose axes are data. There are few axes, so there are few that can be given: each becomes a branch, in
// which the axes are constant, and the runtime takes the one that fits.
#include <algorithm>
#include <cstring>
#include <optional>

#include "frontend/onnx/control.h"

namespace jitney::onnx {

using ir::Dim;
using ir::Op;
using ir::ValueId;
using proto::GraphProto;
using proto::NodeProto;

namespace {

constexpr std::size_t kMostChoices = 24;  // each is compiled

using Axes = std::vector<std::int64_t>;

/// Where an operator has its axes.
struct AxesInput {
  std::string_view op;
  std::size_t input;
  bool is_ordered;        ///< other inputs have an entry for each, in the same order
  bool is_of_the_result;  ///< they name axes of the output, not of the first input
};
constexpr AxesInput kAxes[] = {
    {"ReduceSum", 1, false, false},    {"ReduceMean", 1, false, false},
    {"ReduceMax", 1, false, false},    {"ReduceMin", 1, false, false},
    {"ReduceProd", 1, false, false},   {"ReduceL1", 1, false, false},
    {"ReduceL2", 1, false, false},     {"ReduceSumSquare", 1, false, false},
    {"ReduceLogSum", 1, false, false}, {"ReduceLogSumExp", 1, false, false},
    {"CumSum", 1, false, false},       {"Squeeze", 1, false, false},
    {"Unsqueeze", 1, false, true},     {"Slice", 3, true, false},
    {"Pad", 3, true, false},           {"CumProd", 1, false, false},
    {"DFT", 2, false, false},
};

/// Axes that the operator cannot have, whatever the others are.
Axes forbidden_axes(const std::string& op, const ir::Shape& shape) {
  Axes axes;
  const auto rank = std::ssize(shape);
  if (op == "DFT" && rank > 0) axes.push_back(rank - 1);  // real and imaginary parts
  if (op == "Squeeze") {
    for (std::int64_t axis = 0; axis < rank; ++axis)
      if (shape[static_cast<std::size_t>(axis)].constant().value_or(1) != 1) axes.push_back(axis);
  }
  return axes;
}

/// All ways to take `count` of `rank` axes.
std::vector<Axes> ways(std::int64_t rank, std::int64_t count, bool is_ordered, const Axes& forbidden) {
  std::vector<Axes> result{{}};
  for (std::int64_t k = 0; k < count; ++k) {
    std::vector<Axes> longer;
    for (const Axes& begun : result) {
      for (std::int64_t axis = 0; axis < rank; ++axis) {
        if (std::find(begun.begin(), begun.end(), axis) != begun.end()) continue;
        if (std::find(forbidden.begin(), forbidden.end(), axis) != forbidden.end()) continue;
        if (!is_ordered && !begun.empty() && axis < begun.back()) continue;
        longer.push_back(begun);
        longer.back().push_back(axis);
      }
    }
    result = std::move(longer);
    if (result.size() > 1000) break;
  }
  return result;
}

}  // namespace

struct ModelImporter::Choices {
  NodeProto node;
  std::size_t input;
  std::vector<Axes> ways;
  std::vector<std::int64_t> shape;  ///< of the axes operand
  std::int64_t rank;
  bool is_ordered;
  Axes forbidden;  ///< axes that cannot be taken
};

Expected<bool> ModelImporter::import_choices(const NodeProto& node, Scope& scope,
                                             const std::vector<ModelValuePtr>& inputs) {
  const auto* row =
      std::find_if(std::begin(kAxes), std::end(kAxes), [&](const AxesInput& a) { return a.op == node.op_type(); });
  if (row == std::end(kAxes) || inputs.size() <= row->input || inputs[0] == nullptr) return false;
  const ModelValuePtr& axes = inputs[row->input];
  if (axes == nullptr || axes->known || axes->constant != nullptr) return false;
  if ((axes->dtype != DType::i64 && axes->dtype != DType::i32) || axes->shape.size() > 1) return false;
  const auto count = axes->shape.empty() ? std::optional<std::int64_t>(1) : axes->shape[0].constant();
  if (!count)
    return user_error("operator '{}' at node '{}': axes '{}' has {} elements; their number must be known",
                      node.op_type(), builder_.node_name(), axes->name, axes->shape[0].to_string());
  Choices choices{node, row->input, {}, {}, std::ssize(inputs[0]->shape), row->is_ordered, {}};
  choices.forbidden = forbidden_axes(node.op_type(), inputs[0]->shape);
  if (row->is_of_the_result) choices.rank += *count;
  choices.ways = ways(choices.rank, *count, row->is_ordered, choices.forbidden);
  if (choices.ways.empty() || choices.ways.size() > kMostChoices)
    return user_error(
        "operator '{}' at node '{}': axes '{}' are data, and {} of {} axes can be taken in {} ways; at "
        "most {} are supported",
        node.op_type(), builder_.node_name(), axes->name, *count, choices.rank, choices.ways.empty() ? "no" : "more",
        kMostChoices);
  // The last way is taken without a look, which one alone must not be.
  if (choices.ways.size() == 1 && !choices.forbidden.empty()) choices.ways.push_back(choices.ways[0]);
  if (!axes->shape.empty()) choices.shape.push_back(*count);
  JITNEY_CHECK(import_choice(choices, 0, scope));
  return true;
}

Status ModelImporter::import_choice(const Choices& choices, std::size_t from, Scope& scope) {
  const NodeProto& node = choices.node;
  const std::string stem = scope.prefix + (node.output_size() > 0 ? node.output(0) : node.op_type());
  builder_.begin_node(scope.prefix + name_of(node), stem);
  const Axes& axes = choices.ways[from];
  NodeProto fixed = node;
  const std::string constant_name = ".axes of " + stem;
  fixed.set_input(static_cast<int>(choices.input), constant_name);
  Tensor constant(DType::i64, choices.shape);
  if (!axes.empty()) std::memcpy(constant.data(), axes.data(), constant.num_bytes());
  const auto inputs_of = [&](const Scope& in) {
    std::vector<ModelValuePtr> inputs;
    for (const std::string& name : node.input()) inputs.push_back(name.empty() ? nullptr : *in.find(name));
    inputs[choices.input] = make_constant(constant_name, constant);
    return inputs;
  };
  if (from + 1 == choices.ways.size()) return import_operator(fixed, scope, inputs_of(scope));

  const ValueId operand = builder_.materialize(**scope.find(node.input(static_cast<int>(choices.input))));
  std::vector<Dim> given{Dim(choices.rank), Dim(static_cast<std::int64_t>(choices.is_ordered))};
  const std::string rule = choices.forbidden.empty() ? "is_axes" : "is_allowed_axes";
  if (!choices.forbidden.empty()) {
    given.emplace_back(std::ssize(choices.forbidden));
    given.insert(given.end(), choices.forbidden.begin(), choices.forbidden.end());
  }
  given.insert(given.end(), axes.begin(), axes.end());
  std::vector<ValueId> inputs = builder_.hosted(Op::read_dims, {operand}, {{DType::boolean, {}}}, {},
                                                {{"rule", rule}, {"given", std::move(given)}});
  GraphProto used, empty;
  *used.add_node() = node;
  for (const std::string& output : node.output()) {
    if (!output.empty()) empty.add_output()->set_name(output);
  }
  const Captures captures = captured_by({&used}, scope);
  inputs.insert(inputs.end(), captures.ids.begin(), captures.ids.end());
  const auto fits = [&](Scope& inner) -> Status {
    builder_.begin_node(inner.prefix + name_of(node), stem);
    return import_operator(fixed, inner, inputs_of(inner));
  };
  JITNEY_TRY(const Body a, import_body(empty, scope, {}, captures, fits, {}));
  JITNEY_TRY(const Body b, import_body(empty, scope, {}, captures,
                                       [&](Scope& inner) { return import_choice(choices, from + 1, inner); }, {}));
  NodeProto outputs;  // without those that are not wanted, as the bodies
  outputs.set_op_type(node.op_type());
  for (const auto& output : empty.output()) outputs.add_output(output.name());
  return add_branch(outputs, scope, std::move(inputs), a, b);
}

}  // namespace jitney::onnx
