// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
// Contractions as reductions of products over index maps. Libraries do most of these; this is what is generated when
// one refuses.
#include <limits>

#include "kernel/build.h"

namespace jitney::kernel {

using ir::Dim;
using ir::Op;

namespace {

DType accumulator_of(DType t) { return t == DType::f16 || t == DType::bf16 ? DType::f32 : t; }

}  // namespace

Expected<ExprId> build_matmul(Builder& b, const ir::Node& node, const Place& place) {
  const auto& sa = b.body().value(node.inputs[0]).shape;
  const auto& sb = b.body().value(node.inputs[1]).shape;
  const DType dtype = b.body().value(node.outputs[0]).dtype;
  int k = b.add_axis("k", sa.back(), true);
  auto operand = [&](const ir::Shape& shape, bool left) {
    Place at(place.end() - static_cast<std::ptrdiff_t>(shape.size()), place.end());
    for (std::size_t d = 0; d + 2 < shape.size(); ++d)
      if (shape[d].is(1)) at[d] = b.fixed(0);
    at[at.size() - (left ? 1 : 2)] = b.along(k);
    return at;
  };
  JITNEY_TRY(ExprId x, b.value_at(node.inputs[0], operand(sa, true), {}));
  JITNEY_TRY(ExprId y, b.value_at(node.inputs[1], operand(sb, false), {}));
  DType acc = accumulator_of(dtype);
  ExprId sum = b.reduce(Reduction::Kind::sum, b.operation(Op::mul, acc, {b.cast(acc, x), b.cast(acc, y)}));
  return b.cast(dtype, sum);
}

namespace {

/// The spatial part of a window: place of the input, and the bounds where padding may be read.
struct Window {
  Place at;
  std::vector<Bound> bounds;
};

Window slide(Builder& b, const ir::Node& node, const Place& place, const ir::Shape& input, const ir::Shape& kernel,
             const ir::Shape& output) {
  const auto& strides = node.integers("strides");
  const auto& dilations = node.integers("dilations");
  const auto& pads = node.integers("pads");
  Window w;
  for (std::size_t s = 0; s < kernel.size(); ++s) {
    int axis = b.add_axis(fmt::format("k{}", s), kernel[s], true);
    Index i = b.add(b.scale(place[s + 2], strides[s]), b.along(axis, dilations[s], Dim(-pads[s])));
    // The last window ends at (out - 1) * stride + (k - 1) * dilation - pad: when that is inside, no bound is needed.
    Dim last = (output[s + 2] - Dim(1)) * Dim(strides[s]) + (kernel[s] - Dim(1)) * Dim(dilations[s]) - Dim(pads[s]);
    auto slack = (input[s + 2] - Dim(1) - last).constant();
    if (pads[s] > 0 || !slack || *slack < 0) w.bounds.push_back({i, input[s + 2]});
    w.at.push_back(i);
  }
  return w;
}

}  // namespace

Expected<ExprId> build_conv(Builder& b, const ir::Node& node, const Place& place) {
  const auto& x = b.body().value(node.inputs[0]);
  const auto& w = b.body().value(node.inputs[1]);
  const auto& out = b.body().value(node.outputs[0]);
  int c = b.add_axis("c", w.shape[1], true);
  ir::Shape kernel(w.shape.begin() + 2, w.shape.end());
  Window window = slide(b, node, place, x.shape, kernel, out.shape);
  Place at{place[0], b.along(c)};
  if (node.integer("groups") > 1) at[1] = b.add(at[1], b.along(b.group_axis(), w.shape[1]));
  at.insert(at.end(), window.at.begin(), window.at.end());
  Place weight{place[1], b.along(c)};
  for (std::size_t s = 0; s < kernel.size(); ++s) weight.push_back(b.along(c + 1 + static_cast<int>(s)));
  JITNEY_TRY(ExprId xe, b.value_at(node.inputs[0], at, window.bounds));
  JITNEY_TRY(ExprId we, b.value_at(node.inputs[1], weight, {}));
  DType acc = accumulator_of(out.dtype);
  ExprId y = b.reduce(Reduction::Kind::sum, b.operation(Op::mul, acc, {b.cast(acc, xe), b.cast(acc, we)}));
  if (node.inputs.size() > 2 && node.inputs[2] != ir::kNoValue) {
    JITNEY_TRY(ExprId bias, b.value_at(node.inputs[2], {place[1]}, {}));
    y = b.operation(Op::add, acc, {y, b.cast(acc, bias)});
  }
  return b.cast(out.dtype, y);
}

Expected<ExprId> build_pool(Builder& b, const ir::Node& node, const Place& place) {
  const auto& x = b.body().value(node.inputs[0]);
  const auto& out = b.body().value(node.outputs[0]);
  ir::Shape kernel;
  for (auto k : node.integers("kernel")) kernel.push_back(k);
  Window window = slide(b, node, place, x.shape, kernel, out.shape);
  Place at{place[0], place[1]};
  at.insert(at.end(), window.at.begin(), window.at.end());
  JITNEY_TRY(ExprId v, b.value_at(node.inputs[0], at, window.bounds));
  if (node.op == Op::max_pool) {
    if (!window.bounds.empty()) {
      double lowest = -std::numeric_limits<double>::infinity();
      if (x.dtype == DType::i8) lowest = -128;
      if (x.dtype == DType::u8) lowest = 0;
      v = b.operation(Op::where, x.dtype, {b.inside(window.bounds), v, b.literal(x.dtype, lowest)});
    }
    return b.reduce(Reduction::Kind::max, v);
  }
  DType acc = accumulator_of(x.dtype);
  ExprId sum = b.reduce(Reduction::Kind::sum, b.cast(acc, v));
  // How many elements the mean is over: those inside the input, or inside the padded input.
  ExprId count;
  std::vector<Bound> counted = window.bounds;
  if (node.integer("include_pad") != 0) {
    counted.clear();
    const auto& pads = node.integers("pads");
    for (std::size_t s = 0; s < kernel.size(); ++s) {
      Index padded = b.add(window.at[s], b.fixed(pads[s]));
      Dim extent = x.shape[s + 2] + Dim(pads[s] + pads[s + kernel.size()]);
      Dim last = (out.shape[s + 2] - Dim(1)) * Dim(node.integers("strides")[s]) +
                 (kernel[s] - Dim(1)) * Dim(node.integers("dilations")[s]);
      auto slack = (extent - Dim(1) - last).constant();
      if (!slack || *slack < 0) counted.push_back({padded, extent});
    }
  }
  if (counted.empty())
    count = b.literal(acc, static_cast<double>(product(kernel).constant().value_or(1)));
  else
    count = b.reduce(Reduction::Kind::sum,
                     b.operation(Op::where, acc, {b.inside(counted), b.literal(acc, 1), b.literal(acc, 0)}));
  return b.cast(out.dtype, b.operation(Op::div, acc, {sum, count}));
}

}  // namespace jitney::kernel
