// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "kernel/build.h"

namespace jitney::kernel {

using ir::Dim;
using ir::Op;

Expected<ExprId> build_gather(Builder& b, const ir::Node& node, const Place& place, const std::vector<Bound>& bounds) {
  std::size_t axis = static_cast<std::size_t>(node.integer("axis"));
  std::size_t index_rank = b.body().value(node.inputs[1]).shape.size();
  auto at = [&](std::size_t from, std::size_t to) {
    return Place(place.begin() + static_cast<std::ptrdiff_t>(from), place.begin() + static_cast<std::ptrdiff_t>(to));
  };
  JITNEY_TRY(ExprId index, b.value_at(node.inputs[1], at(axis, axis + index_rank), bounds));
  Place source = at(0, axis);
  source.push_back(b.fixed(0));
  for (const auto& i : at(axis + index_rank, place.size())) source.push_back(i);
  return b.load_indirect(node.inputs[0], source, bounds, {{axis, b.cast(DType::i64, index)}});
}

Expected<ExprId> build_gather_elements(Builder& b, const ir::Node& node, const Place& place,
                                       const std::vector<Bound>& bounds) {
  const auto axis = static_cast<std::size_t>(node.integer("axis"));
  JITNEY_TRY(ExprId index, b.value_at(node.inputs[1], place, bounds));
  Place source = place;
  source[axis] = b.fixed(0);
  return b.load_indirect(node.inputs[0], source, bounds, {{axis, b.cast(DType::i64, index)}});
}

Expected<ExprId> build_gather_nd(Builder& b, const ir::Node& node, const Place& place,
                                 const std::vector<Bound>& bounds) {
  const auto& indices = b.body().value(node.inputs[1]).shape;
  const auto batch = static_cast<std::size_t>(node.integer("batch"));
  const std::int64_t k = *indices.back().constant();
  const auto tuple_axes = static_cast<std::ptrdiff_t>(indices.size()) - 1;
  Place source(place.begin(), place.begin() + static_cast<std::ptrdiff_t>(batch));
  std::vector<Builder::DataIndex> found;
  for (std::int64_t j = 0; j < k; ++j) {
    Place at(place.begin(), place.begin() + tuple_axes);
    at.push_back(b.fixed(j));
    JITNEY_TRY(ExprId index, b.value_at(node.inputs[1], at, bounds));
    found.push_back({source.size(), b.cast(DType::i64, index)});
    source.push_back(b.fixed(0));
  }
  source.insert(source.end(), place.begin() + tuple_axes, place.end());
  return b.load_indirect(node.inputs[0], source, bounds, found);
}

Expected<ExprId> build_gather_grid(Builder& b, const ir::Node& node, const Place& place,
                                   const std::vector<Bound>& bounds) {
  const auto& axes = node.integers("axes");
  Place source = place;
  std::vector<Builder::DataIndex> found;
  for (std::size_t a = 0; a < axes.size(); ++a) {
    const auto axis = static_cast<std::size_t>(axes[a]);
    JITNEY_TRY(ExprId index, b.value_at(node.inputs[a + 1], {place[axis]}, bounds));
    found.push_back({axis, b.cast(DType::i64, index)});
    source[axis] = b.fixed(0);
  }
  return b.load_indirect(node.inputs[0], source, bounds, found);
}

Expected<ExprId> build_concat(Builder& b, const ir::Node& node, const Place& place, const std::vector<Bound>& bounds) {
  // Each element comes from the one part whose bounds hold; the others load nothing and give 0.
  std::size_t axis = static_cast<std::size_t>(node.integer("axis"));
  Dim begin = 0;
  ExprId result = -1;
  std::vector<Bound> parts;
  for (ir::ValueId in : node.inputs) {
    const Dim& extent = b.body().value(in).shape[axis];
    Place at = place;
    at[axis] = b.add(at[axis], b.fixed(Dim(0) - begin));
    Bound here{at[axis], extent};
    parts.push_back(here);
    std::vector<Bound> within = bounds;
    within.push_back(here);
    JITNEY_TRY(ExprId part, b.value_at(in, at, within));
    result = result < 0 ? part : b.operation(Op::where, b.expr(part).dtype, {b.inside({here}), part, result});
    begin = begin + extent;
  }
  if (bounds.empty() && parts.size() > 1) b.partition(std::move(parts));
  return result;
}

Expected<ExprId> build_pad(Builder& b, const ir::Node& node, const Place& place, const std::vector<Bound>& bounds) {
  const auto& in = b.body().value(node.inputs[0]);
  const auto& before = node.dims("before");
  Place at = place;
  std::vector<Bound> here;
  for (std::size_t d = 0; d < at.size(); ++d) {
    if (in.shape[d] == b.body().value(node.outputs[0]).shape[d] && before[d].is(0)) continue;
    at[d] = b.add(at[d], b.fixed(Dim(0) - before[d]));
    here.push_back({at[d], in.shape[d]});
  }
  std::vector<Bound> within = bounds;
  within.insert(within.end(), here.begin(), here.end());
  JITNEY_TRY(ExprId x, b.value_at(node.inputs[0], at, within));
  return b.operation(Op::where, in.dtype, {b.inside(here), x, b.literal(in.dtype, node.real("value"))});
}

Expected<ExprId> build_source(Builder& b, const ir::Node& node, const Place& place) {
  if (node.op == Op::iota) return b.index(place[static_cast<std::size_t>(node.integer("axis"))]);
  const auto& values = node.dims("values");
  if (place.empty()) return b.number(values[0]);
  if (values.empty()) return b.literal(DType::i64, 0);
  // A short vector of numbers: choose by position.
  ExprId position = b.index(place[0]);
  ExprId result = b.number(values.back());
  for (std::size_t i = values.size() - 1; i-- > 0;) {
    ExprId here = b.operation(Op::equal, DType::boolean, {position, b.literal(DType::i64, static_cast<double>(i))});
    result = b.operation(Op::where, DType::i64, {here, b.number(values[i]), result});
  }
  return result;
}

}  // namespace jitney::kernel
