// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
// Scan is a loop that takes a slice of each scanned input by the number of the iteration, and whose stacked outputs
// are turned where the model wants them otherwise.
#include <algorithm>
#include <numeric>

#include "frontend/onnx/control.h"

namespace jitney::onnx {

using ir::Dim;
using ir::Op;
using ir::ValueId;
using proto::NodeProto;

namespace {

std::vector<std::int64_t> list(const NodeProto& node, std::string_view name, std::size_t count) {
  std::vector<std::int64_t> values(count, 0);
  const auto* attribute = find_attribute(node, name);
  if (attribute == nullptr) return values;
  values.assign(attribute->ints().begin(), attribute->ints().end());
  return values;
}

}  // namespace

Status ModelImporter::import_scan(const NodeProto& node, Scope& scope, const std::vector<ModelValuePtr>& inputs) {
  const std::string name = builder_.node_name();
  const auto refuse = [&](const std::string& why) { return user_error("operator 'Scan' at node '{}': {}", name, why); };
  if (scope.opset < 9) return refuse("its form before opset 9, with a batch axis, is not supported");
  const auto *body = find_attribute(node, "body"), *given = find_attribute(node, "num_scan_inputs");
  if (body == nullptr || !body->has_g() || given == nullptr) return refuse("its body or num_scan_inputs is missing");
  const std::int64_t scanned = given->i();
  if (scanned < 1 || scanned > std::ssize(inputs) || body->g().input_size() != static_cast<int>(inputs.size()) ||
      std::find(inputs.begin(), inputs.end(), nullptr) != inputs.end())
    return refuse(fmt::format("{} inputs, {} of them scanned, do not fit a body with {}", inputs.size(), scanned,
                              body->g().input_size()));
  const std::size_t carried = inputs.size() - static_cast<std::size_t>(scanned);
  const auto stacks =
      static_cast<std::size_t>(node.output_size()) - std::min(carried, static_cast<std::size_t>(node.output_size()));
  auto axes = list(node, "scan_input_axes", inputs.size() - carried);
  const auto backward = list(node, "scan_input_directions", inputs.size() - carried);
  auto out_axes = list(node, "scan_output_axes", stacks);
  const auto out_backward = list(node, "scan_output_directions", stacks);
  if (axes.size() != inputs.size() - carried || backward.size() != axes.size() || out_axes.size() != stacks ||
      out_backward.size() != stacks)
    return refuse("its lists of axes or directions do not fit");

  LoopSpec spec;
  spec.body = &body->g();
  std::optional<Dim> length;
  for (std::size_t i = 0; i < axes.size(); ++i) {
    const ModelValue& x = *inputs[carried + i];
    const auto rank = std::ssize(x.shape);
    if (axes[i] < -rank || axes[i] >= rank)
      return refuse(fmt::format("axis {} is none of '{}', which is {}", axes[i], x.name, ir::to_string(x.shape)));
    if (axes[i] < 0) axes[i] += rank;
    const Dim& extent = x.shape[static_cast<std::size_t>(axes[i])];
    if (!length) length = extent;
    builder_.require(ir::Guard::Relation::equal, *length, extent,
                     fmt::format("operator 'Scan' at node '{}': its inputs are scanned together", name));
    spec.scanned.emplace_back(fmt::format(".scanned.{}", i), inputs[carried + i]);
  }
  JITNEY_CHECK(builder_.status());
  spec.trips = make_known(name + ".trips", DType::i64, ShapeTensor::scalar(*length));
  spec.condition = make_known(name + ".condition", DType::boolean, ShapeTensor::scalar(Dim(1)));
  spec.iteration = ".iteration";
  spec.own_condition = ".condition";
  for (std::size_t i = 0; i < carried; ++i) {
    spec.initial.push_back(inputs[i]);
    spec.carried_names.push_back(body->g().input(static_cast<int>(i)).name());
  }
  spec.first_outputs = {make_known(name + ".goes_on", DType::boolean, ShapeTensor::scalar(Dim(1)))};
  spec.prepare = [&](Scope& inner) -> Status {
    const ValueId iteration = builder_.materialize(**inner.find(".iteration"));
    for (std::size_t i = 0; i < axes.size(); ++i) {
      ValueId index = iteration;
      if (backward[i] != 0) {
        const ValueId last =
            builder_.typed_node(Op::dims, {}, DType::i64, {}, {{"values", std::vector<Dim>{*length - 1}}});
        index = builder_.binary(Op::sub, last, iteration);
      }
      auto slice = std::make_shared<ModelValue>();
      slice->name = body->g().input(static_cast<int>(carried + i)).name();
      slice->id = builder_.node(Op::gather, {builder_.materialize(**inner.find(spec.scanned[i].first)), index},
                                {{"axis", axes[i]}});
      JITNEY_CHECK(builder_.status());
      slice->dtype = builder_.dtype(slice->id);
      slice->shape = builder_.shape(slice->id);
      inner.values[slice->name] = slice;
    }
    return {};
  };
  JITNEY_TRY(auto ids, add_loop(node, scope, spec));
  JITNEY_CHECK(builder_.status());
  for (std::size_t i = 0; i < stacks; ++i) {
    ValueId& id = ids[carried + i];
    const auto rank = static_cast<std::int64_t>(builder_.rank(id));
    if (out_axes[i] < -rank || out_axes[i] >= rank)
      return refuse(fmt::format("there is no output axis {}", out_axes[i]));
    if (out_backward[i] != 0) {
      const ir::Shape shape = builder_.shape(id);
      std::vector<Dim> starts(shape.size(), Dim(0));
      std::vector<std::int64_t> steps(shape.size(), 1);
      starts[0] = max_of(shape[0] - 1, Dim(0), builder_.symbols());
      steps[0] = -1;
      id = builder_.slice(id, starts, steps, shape);
    }
    // [n, a, b] becomes [a, n, b] for axis 1.
    std::vector<std::int64_t> perm(static_cast<std::size_t>(rank));
    std::iota(perm.begin(), perm.end(), 0);
    const auto to = static_cast<std::ptrdiff_t>(out_axes[i] < 0 ? out_axes[i] + rank : out_axes[i]);
    std::rotate(perm.begin(), perm.begin() + 1, perm.begin() + to + 1);
    id = builder_.permute(id, perm);
  }
  return set_outputs(node, scope, ids);
}

}  // namespace jitney::onnx
