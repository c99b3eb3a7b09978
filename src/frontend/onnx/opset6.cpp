// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "frontend/onnx/opset6.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace jitney::onnx {
namespace {

using ir::Dim;

constexpr std::array<std::string_view, 11> kBroadcasting = {"Add", "Sub", "Mul",  "Div",   "Pow",    "And",
                                                            "Or",  "Xor", "Less", "Equal", "Greater"};

/// Input 1 with its extents along input 0's from `axis` on.
void align(NodeContext& c, int axis) {
  ir::Shape shape = c.shape(1);
  const std::size_t behind = static_cast<std::size_t>(c.rank(0) - axis) - shape.size();
  if (behind == 0) return;
  shape.insert(shape.end(), behind, Dim(1));
  auto aligned = std::make_shared<ModelValue>();
  aligned->name = c.input(1).name;
  aligned->dtype = c.dtype(1);
  aligned->id = c.b.reshape(c.value(1), shape);
  aligned->shape = std::move(shape);
  c.replace_input(1, std::move(aligned));
}

Status broadcast(NodeContext& c) {
  const bool allowed = c.integer("broadcast", 0) != 0;
  const bool has_axis = c.has_attribute("axis");
  const std::int64_t given = c.integer("axis", 0);
  if (!allowed) {
    if (c.rank(0) != c.rank(1))
      return c.error("before opset 7 its inputs must have one shape unless 'broadcast' is 1; they are {} and {}",
                     ir::to_string(c.shape(0)), ir::to_string(c.shape(1)));
    return {};
  }
  if (!has_axis) return {};  // along the last axes, as numpy does it
  JITNEY_TRY(const int axis, c.axis(given, c.rank(0)));
  if (axis + c.rank(1) > c.rank(0))
    return c.error("its second input {} does not fit into {} from axis {} on", ir::to_string(c.shape(1)),
                   ir::to_string(c.shape(0)), axis);
  align(c, axis);
  return {};
}

}  // namespace

Status adapt_to_opset_7(NodeContext& c) {
  const std::string_view op = c.node.op_type();
  if (std::find(kBroadcasting.begin(), kBroadcasting.end(), op) != kBroadcasting.end()) return broadcast(c);
  if (op == "PRelu" && c.rank(1) == 1 && c.rank(0) > 2) align(c, 1);
  if ((op == "BatchNormalization" || op == "Dropout") && c.integer("is_test", 0) == 0)
    return c.error("training mode is not supported; 'is_test' must be 1");
  return {};
}

}  // namespace jitney::onnx
