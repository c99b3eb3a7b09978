// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "passes/simplify.h"

#include <cmath>

#include "passes/permutation.h"
#include "passes/rewrite.h"

namespace jitney::passes {

namespace {

using ir::Op;
using ir::ValueId;

/// One rule looks at a node whose inputs are already rewritten and gives the value that replaces its output, or
/// kNoValue when it does not apply. Inputs are ids in rw.to.
struct Context {
  Rewriter& rw;
  const ir::Node& node;
  const std::vector<ValueId>& inputs;
  const ir::Value& out;
  std::vector<int>& producer;           ///< in rw.to
  const std::vector<bool>& is_widened;  ///< by the model's ids: values that some cast makes wider

  const ir::Node* made_by(ValueId id) const {
    int p = static_cast<std::size_t>(id) < producer.size() ? producer[static_cast<std::size_t>(id)] : -1;
    return p < 0 ? nullptr : &rw.to.nodes[static_cast<std::size_t>(p)];
  }
};

bool same_type(const ir::Value& a, const ir::Value& b) { return a.dtype == b.dtype && a.shape == b.shape; }

ValueId drop_identity(const Context& c) {
  if (c.inputs.empty()) return ir::kNoValue;
  const auto& in = c.rw.to.value(c.inputs[0]);
  switch (c.node.op) {
    case Op::cast:
    case Op::bitcast:
    case Op::reshape:
    case Op::expand: return same_type(in, c.out) ? c.inputs[0] : ir::kNoValue;
    case Op::permute: return is_identity(c.node.integers("perm")) ? c.inputs[0] : ir::kNoValue;
    case Op::slice: {
      if (!same_type(in, c.out)) return ir::kNoValue;
      for (const auto& d : c.node.dims("starts"))
        if (!d.is(0)) return ir::kNoValue;
      for (const auto& d : c.node.dims("steps"))
        if (!d.is(1)) return ir::kNoValue;
      return c.inputs[0];
    }
    case Op::pad: {
      if (!same_type(in, c.out)) return ir::kNoValue;
      for (const auto& d : c.node.dims("before"))
        if (!d.is(0)) return ir::kNoValue;
      return c.inputs[0];
    }
    case Op::concat: return c.inputs.size() == 1 ? c.inputs[0] : ir::kNoValue;
    case Op::reduce_sum:
    case Op::reduce_mean:
    case Op::reduce_max:
    case Op::reduce_min:
    case Op::reduce_prod: return c.node.integers("axes").empty() ? c.inputs[0] : ir::kNoValue;
    default: return ir::kNoValue;
  }
}

// reshape of reshape, and a permute that moves only extents of 1, are one reshape.
ValueId merge_reshape(const Context& c) {
  if (c.node.op == Op::reshape) {
    const auto* p = c.made_by(c.inputs[0]);
    if (!p || p->op != Op::reshape) return ir::kNoValue;
    if (same_type(c.rw.to.value(p->inputs[0]), c.out)) return p->inputs[0];
    return c.rw.emit(Op::reshape, c.node.name, {p->inputs[0]}, c.out.dtype, c.out.shape);
  }
  if (c.node.op == Op::permute) {
    const auto& in = c.rw.to.value(c.inputs[0]);
    std::int64_t last = -1;
    for (auto axis : c.node.integers("perm")) {
      if (in.shape[static_cast<std::size_t>(axis)].is(1)) continue;
      if (axis < last) return ir::kNoValue;
      last = axis;
    }
    if (const auto* p = c.made_by(c.inputs[0]);
        p && p->op == Op::reshape && same_type(c.rw.to.value(p->inputs[0]), c.out))
      return p->inputs[0];
    return c.rw.emit(Op::reshape, c.node.name, {c.inputs[0]}, c.out.dtype, c.out.shape);
  }
  return ir::kNoValue;
}

ValueId merge_permute(const Context& c) {
  if (c.node.op != Op::permute) return ir::kNoValue;
  const auto* p = c.made_by(c.inputs[0]);
  if (!p || p->op != Op::permute) return ir::kNoValue;
  std::vector<std::int64_t> perm;
  for (auto axis : c.node.integers("perm")) perm.push_back(p->integers("perm")[static_cast<std::size_t>(axis)]);
  if (is_identity(perm)) return p->inputs[0];
  return c.rw.emit(Op::permute, c.node.name, {p->inputs[0]}, c.out.dtype, c.out.shape, {{"perm", perm}});
}

// [a..., s, t] seen as [a*, s, t], its last axes permuted, seen as [a..., t, s] again: a permute of all axes, which
// needs no copy where the axes of a are not one in memory. Exporters write a batched transpose so.
ValueId permute_within_batch(const Context& c) {
  if (c.node.op != Op::reshape) return ir::kNoValue;
  const auto* permute = c.made_by(c.inputs[0]);
  const auto* merge = permute && permute->op == Op::permute ? c.made_by(permute->inputs[0]) : nullptr;
  if (!merge || merge->op != Op::reshape) return ir::kNoValue;
  ValueId x = merge->inputs[0];
  ir::Shape full = c.rw.to.value(x).shape;
  while (full.size() > c.out.shape.size() && full[0].is(1)) full.erase(full.begin());
  const ir::Shape merged = c.rw.to.value(permute->inputs[0]).shape;
  const std::vector<std::int64_t> inner = permute->integers("perm");
  if (full.size() <= merged.size() || merged.empty() || inner[0] != 0 || c.out.shape.size() != full.size())
    return ir::kNoValue;
  const std::size_t batch = full.size() - merged.size() + 1;
  std::vector<std::int64_t> perm;
  for (std::size_t i = 0; i < batch; ++i) perm.push_back(static_cast<std::int64_t>(i));
  for (std::size_t i = 1; i < inner.size(); ++i) perm.push_back(inner[i] + static_cast<std::int64_t>(batch) - 1);
  for (std::size_t i = 1; i < merged.size(); ++i)
    if (!(merged[i] == full[i + batch - 1])) return ir::kNoValue;
  if (!(permuted(full, perm) == c.out.shape)) return ir::kNoValue;
  if (full.size() != c.rw.to.value(x).shape.size()) x = c.rw.emit(Op::reshape, c.node.name, {x}, c.out.dtype, full);
  return c.rw.emit(Op::permute, c.node.name, {x}, c.out.dtype, c.out.shape, {{"perm", perm}});
}

// A gather of one known index is a slice, which is a view.
ValueId slice_for_gather(const Context& c) {
  if (c.node.op != Op::gather) return ir::kNoValue;
  const auto wanted = scalar_constant(c.rw.to, c.inputs[1]);
  const ir::Value data = c.rw.to.value(c.inputs[0]);  // a copy: what emit() adds moves values
  const auto axis = static_cast<std::size_t>(c.node.integer("axis"));
  const auto extent = data.shape[axis].constant();
  if (!wanted || !extent || c.rw.to.is_constant(c.inputs[0])) return ir::kNoValue;
  const auto index = static_cast<std::int64_t>(*wanted) + (*wanted < 0 ? *extent : 0);
  if (index < 0 || index >= *extent) return ir::kNoValue;  // an error that the execute will say
  ir::Shape shape = data.shape;
  shape[axis] = 1;
  std::vector<ir::Dim> starts(shape.size(), ir::Dim(0)), steps(shape.size(), ir::Dim(1));
  starts[axis] = index;
  const ValueId slice =
      c.rw.emit(Op::slice, c.node.name, {c.inputs[0]}, data.dtype, shape, {{"starts", starts}, {"steps", steps}});
  return shape == c.out.shape ? slice : c.rw.emit(Op::reshape, c.node.name, {slice}, data.dtype, c.out.shape);
}

// x * 1, x / 1, x + 0, x - 0 where the shape stays. x + 0 is exact but for -0 + 0, which compares equal.
ValueId drop_neutral(const Context& c) {
  double neutral = c.node.op == Op::mul || c.node.op == Op::div ? 1 : 0;
  bool commutes = c.node.op == Op::mul || c.node.op == Op::add;
  if (!commutes && c.node.op != Op::div && c.node.op != Op::sub) return ir::kNoValue;
  auto try_side = [&](int constant, int other) -> ValueId {
    auto v = scalar_constant(c.rw.to, c.inputs[static_cast<std::size_t>(constant)]);
    ValueId x = c.inputs[static_cast<std::size_t>(other)];
    return v && *v == neutral && same_type(c.rw.to.value(x), c.out) ? x : ir::kNoValue;
  };
  if (ValueId x = try_side(1, 0); x != ir::kNoValue) return x;
  return commutes ? try_side(0, 1) : ir::kNoValue;
}

// pow by 1, 2, 3, 1/2, -1 of floating tensors.
ValueId expand_pow(const Context& c) {
  if (c.node.op != Op::pow || !is_floating(c.out.dtype)) return ir::kNoValue;
  auto e = scalar_constant(c.rw.to, c.inputs[1]);
  ValueId x = c.inputs[0];
  if (!e || c.rw.to.value(x).shape != c.out.shape || c.rw.to.value(x).dtype != c.out.dtype) return ir::kNoValue;
  const auto name = c.node.name;
  if (*e == 1) return x;
  if (*e == 2) return c.rw.emit(Op::mul, name, {x, x}, c.out.dtype, c.out.shape);
  if (*e == 3) {
    ValueId square = c.rw.emit(Op::mul, name, {x, x}, c.out.dtype, c.out.shape);
    return c.rw.emit(Op::mul, name, {square, x}, c.out.dtype, c.out.shape);
  }
  if (*e == -1) return c.rw.emit(Op::reciprocal, name, {x}, c.out.dtype, c.out.shape);
  if (*e == 0.5) return c.rw.emit(Op::sqrt, name, {x}, c.out.dtype, c.out.shape);
  return ir::kNoValue;
}

// An activation of f16 or bf16 between a cast to f32 and one back: it is computed in f32 and rounded once anyway.
ValueId drop_widening(const Context& c) {
  if (c.node.op != Op::cast || (c.out.dtype != DType::f16 && c.out.dtype != DType::bf16)) return ir::kNoValue;
  // Whoever makes it wider again wants to see the rounding.
  if (c.node.has("rounds") && c.is_widened[static_cast<std::size_t>(c.node.outputs[0])]) return ir::kNoValue;
  const auto* activation = c.made_by(c.inputs[0]);
  if (!activation || c.rw.to.value(c.inputs[0]).dtype != DType::f32) return ir::kNoValue;
  switch (activation->op) {
    case Op::relu:
    case Op::gelu_erf:
    case Op::gelu_tanh:
    case Op::silu:
    case Op::hard_swish:
    case Op::sigmoid:
    case Op::tanh: break;
    default: return ir::kNoValue;
  }
  const auto* wider = c.made_by(activation->inputs[0]);
  if (!wider || wider->op != Op::cast || c.rw.to.value(wider->inputs[0]).dtype != c.out.dtype) return ir::kNoValue;
  return c.rw.emit(activation->op, activation->name, {wider->inputs[0]}, c.out.dtype, c.out.shape);
}

}  // namespace

Expected<ir::Graph> simplify(const ir::Graph& graph) {
  Rewriter rw(graph);
  std::vector<int> producer;
  std::size_t known = 0;  // nodes of rw.to whose outputs producer knows
  std::vector<bool> is_widened(graph.values.size());
  for (const auto& node : graph.nodes)
    if (node.op == Op::cast && size_of(graph.value(node.outputs[0]).dtype) > size_of(graph.value(node.inputs[0]).dtype))
      is_widened[static_cast<std::size_t>(node.inputs[0])] = true;
  for (const auto& node : graph.nodes) {
    std::vector<ValueId> inputs = rw(node.inputs);
    ValueId now = ir::kNoValue;
    if (node.outputs.size() == 1 && node.op != Op::region) {
      producer.resize(rw.to.values.size(), -1);
      Context c{rw, node, inputs, graph.value(node.outputs[0]), producer, is_widened};
      for (auto rule : {drop_identity, permute_within_batch, merge_reshape, merge_permute, slice_for_gather,
                        drop_neutral, expand_pow, drop_widening})
        if ((now = rule(c)) != ir::kNoValue) break;
    }
    if (now != ir::kNoValue)
      rw.replace(node.outputs[0], now);
    else
      rw.copy(node);
    producer.resize(rw.to.values.size(), -1);
    for (; known < rw.to.nodes.size(); ++known)
      for (ValueId out : rw.to.nodes[known].outputs) producer[static_cast<std::size_t>(out)] = static_cast<int>(known);
  }
  return rw.finish();
}

}  // namespace jitney::passes
