// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "passes/fold_batch_norm.h"

#include <cmath>

#include "passes/rewrite.h"
#include "util/reloadable.h"

namespace jitney::passes {

namespace {

using ir::Op;
using ir::ValueId;

/// y = x * scale[c] + shift[c], from constant parameters, in f64.
struct Affine {
  std::vector<double> scale, shift;
};

std::optional<Affine> constant_affine(const ir::Graph& graph, const std::vector<ValueId>& in, double epsilon) {
  for (std::size_t i = 1; i < 5; ++i)
    if (!graph.is_constant(in[i])) return std::nullopt;
  auto at = [&](std::size_t input, std::size_t c) {
    const Tensor& t = *graph.value(in[input]).constant;
    return load_scalar(t.dtype(), static_cast<const char*>(t.data()) + c * size_of(t.dtype()));
  };
  auto channels = static_cast<std::size_t>(graph.value(in[1]).constant->num_elements());
  Affine a;
  for (std::size_t c = 0; c < channels; ++c) {
    double s = at(1, c) / std::sqrt(at(4, c) + epsilon);
    a.scale.push_back(s);
    a.shift.push_back(at(2, c) - at(3, c) * s);
  }
  return a;
}

Tensor make_vector(DType dtype, const std::vector<double>& v, std::vector<std::int64_t> shape) {
  Tensor t(dtype, std::move(shape));
  for (std::size_t i = 0; i < v.size(); ++i)
    store_scalar(dtype, v[i], static_cast<char*>(t.data()) + i * size_of(dtype));
  return t;
}

/// w[o, ...] * scale[o]
Expected<Tensor> scaled(const Tensor& weights, const std::vector<double>& scale) {
  JITNEY_TRY(const Tensor w, resident(weights));
  Tensor result(w.dtype(), w.shape());
  const auto per_channel = static_cast<std::size_t>(w.num_elements()) / std::max<std::size_t>(scale.size(), 1);
  const auto size = size_of(w.dtype());
  for (std::size_t o = 0; o < scale.size(); ++o)
    for (std::size_t i = 0; i < per_channel; ++i) {
      const std::size_t at = (o * per_channel + i) * size;
      store_scalar(w.dtype(), load_scalar(w.dtype(), static_cast<const char*>(w.data()) + at) * scale[o],
                   static_cast<char*>(result.data()) + at);
    }
  return result;
}

/// Weights of the convolution that does the normalization too: w[o, ...] * scale[o], b[o] * scale[o] + shift[o].
ValueId into_convolution(Rewriter& rw, const ir::Node& conv, const ir::Node& bn, const Affine& affine,
                         const ir::Value& out) {
  const Tensor& w = *rw.from.value(conv.inputs[1]).constant;
  const auto channels = affine.scale.size();
  const auto size = size_of(w.dtype());
  Tensor weights = value_or_throw(derive(w.dtype(), w.shape(), [w, scale = affine.scale] { return scaled(w, scale); }));
  std::vector<double> bias = affine.shift;
  if (conv.inputs.size() > 2 && conv.inputs[2] != ir::kNoValue) {
    const Tensor& b = *rw.from.value(conv.inputs[2]).constant;
    for (std::size_t o = 0; o < channels; ++o)
      bias[o] += load_scalar(b.dtype(), static_cast<const char*>(b.data()) + o * size) * affine.scale[o];
  }
  ValueId wid = rw.to.add_constant(rw.fresh(rw.from.value(conv.inputs[1]).name), std::move(weights));
  ValueId bid = rw.to.add_constant(rw.fresh(bn.name + ".bias"),
                                   make_vector(w.dtype(), bias, {static_cast<std::int64_t>(channels)}));
  return rw.emit(Op::conv, conv.name, {rw(conv.inputs[0]), wid, bid}, out.dtype, out.shape, conv.attributes);
}

}  // namespace

Expected<ir::Graph> fold_batch_norm(const ir::Graph& graph) {
  Rewriter rw(graph);
  auto producers = graph.producers();
  auto uses = graph.use_counts();
  for (const auto& node : graph.nodes) {
    if (node.op != Op::batch_norm) {
      rw.copy(node);
      continue;
    }
    const auto& out = graph.value(node.outputs[0]);
    double epsilon = node.real("epsilon");
    auto affine = constant_affine(graph, node.inputs, epsilon);
    int p = producers[static_cast<std::size_t>(node.inputs[0])];
    const ir::Node* conv = p >= 0 ? &graph.nodes[static_cast<std::size_t>(p)] : nullptr;
    bool fold = affine && conv && conv->op == Op::conv && uses[static_cast<std::size_t>(node.inputs[0])] == 1 &&
                graph.is_constant(conv->inputs[1]) &&
                graph.value(conv->inputs[1]).shape[0].is(static_cast<std::int64_t>(affine->scale.size())) &&
                (conv->inputs.size() < 3 || conv->inputs[2] == ir::kNoValue || graph.is_constant(conv->inputs[2]));
    if (fold) {
      rw.replace(node.outputs[0], into_convolution(rw, *conv, node, *affine, out));
      continue;
    }
    // Per channel along axis 1: parameters become [c, 1, 1, ...].
    ir::Shape per_channel{out.shape.size() > 1 ? out.shape[1] : ir::Dim(1)};
    for (std::size_t i = 2; i < out.shape.size(); ++i) per_channel.push_back(1);
    ValueId scale, shift;
    if (affine) {
      std::vector<std::int64_t> shape{static_cast<std::int64_t>(affine->scale.size())};
      shape.resize(per_channel.size(), 1);
      scale = rw.to.add_constant(rw.fresh(node.name + ".scale"), make_vector(out.dtype, affine->scale, shape));
      shift = rw.to.add_constant(rw.fresh(node.name + ".shift"), make_vector(out.dtype, affine->shift, shape));
    } else {
      const auto& v = graph.value(node.inputs[1]);
      ValueId var = rw(node.inputs[4]);
      ValueId safe = rw.emit(Op::add, node.name, {var, rw.scalar(v.dtype, epsilon)}, v.dtype, v.shape);
      ValueId root = rw.emit(Op::sqrt, node.name, {safe}, v.dtype, v.shape);
      ValueId s = rw.emit(Op::div, node.name, {rw(node.inputs[1]), root}, v.dtype, v.shape);
      ValueId ms = rw.emit(Op::mul, node.name, {rw(node.inputs[3]), s}, v.dtype, v.shape);
      ValueId b = rw.emit(Op::sub, node.name, {rw(node.inputs[2]), ms}, v.dtype, v.shape);
      scale = rw.emit(Op::reshape, node.name, {s}, v.dtype, per_channel);
      shift = rw.emit(Op::reshape, node.name, {b}, v.dtype, per_channel);
    }
    ValueId scaled = rw.emit(Op::mul, node.name, {rw(node.inputs[0]), scale}, out.dtype, out.shape);
    rw.replace(node.outputs[0], rw.emit(Op::add, node.name, {scaled, shift}, out.dtype, out.shape));
  }
  return rw.finish();
}

}  // namespace jitney::passes
