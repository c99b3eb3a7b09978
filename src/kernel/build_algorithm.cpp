// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "kernel/build_algorithm.h"

#include <algorithm>
#include <utility>

#include "passes/views.h"

namespace jitney::kernel {

using ir::Op;

namespace {

Expected<Algorithm::Combine> combine_of(const ir::Node& node, DType dtype) {
  using Combine = Algorithm::Combine;
  static constexpr std::pair<const char*, Combine> kModes[] = {{"none", Combine::none},
                                                               {"add", Combine::add},
                                                               {"mul", Combine::mul},
                                                               {"max", Combine::max},
                                                               {"min", Combine::min}};
  for (const auto& [mode, combine] : kModes)
    if (node.text("mode") == mode && (combine == Combine::none || dtype != DType::boolean)) return combine;
  return internal_error("no loops for '{}' of {} by '{}'", info(node.op).name, to_string(dtype), node.text("mode"));
}

}  // namespace

Expected<Kernel> build_algorithm(const ir::Node& region, const std::vector<ir::Dim>& input_offsets,
                                 const std::vector<std::vector<ir::Dim>>& input_strides) {
  const ir::Graph& body = region.graph("body");
  const auto none = [&] { return internal_error("no loop nest for region '{}'", region.name); };
  if (body.nodes.size() != 1 || body.outputs != body.nodes[0].outputs) return none();
  const ir::Node& node = body.nodes[0];
  const auto& out = body.value(node.outputs[0]);
  Algorithm a;
  switch (node.op) {
    case Op::scatter_elements:
      a.kind = Algorithm::Kind::scatter_elements;
      a.axis = static_cast<std::size_t>(node.integer("axis"));
      break;
    case Op::scatter_nd: {
      a.kind = Algorithm::Kind::scatter_nd;
      const auto tuple = body.value(node.inputs[1]).shape.back().constant();
      if (!tuple) return none();
      a.tuple = *tuple;
      break;
    }
    case Op::top_k:
      a.kind = Algorithm::Kind::top_k;
      a.axis = static_cast<std::size_t>(node.integer("axis"));
      a.largest = node.integer("largest") != 0;
      break;
    default: return none();
  }
  if (a.kind != Algorithm::Kind::top_k) {
    JITNEY_TRY(a.combine, combine_of(node, out.dtype));
  }
  Kernel k;
  k.name = region.name;
  for (ir::ValueId in : node.inputs) {
    const auto at = std::find(body.inputs.begin(), body.inputs.end(), in);
    if (at == body.inputs.end()) return none();
    const auto i = static_cast<std::size_t>(at - body.inputs.begin());
    // The kernel's operands are the region's inputs, whatever their order in the node.
    if (i != a.operands.size()) return none();
    const auto& v = body.value(in);
    a.operands.push_back({v.dtype, v.shape, input_strides[i], input_offsets[i]});
    k.operands.push_back({v.name, v.dtype, false});
  }
  if (a.operands.size() != body.inputs.size()) return none();
  a.operands.push_back({out.dtype, out.shape, passes::contiguous_strides(out.shape), 0});
  k.operands.push_back({out.name, out.dtype, true});
  k.algorithm = std::move(a);
  return k;
}

}  // namespace jitney::kernel
