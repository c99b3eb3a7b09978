// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "frontend/onnx/arithmetic.h"
#include "frontend/onnx/registry.h"

namespace jitney::onnx {
namespace {

using ir::Dim;
using ir::Op;
using ir::Shape;
using ir::ValueId;

ValueId layer_norm(GraphBuilder& b, std::vector<ValueId> inputs, std::int64_t axis, double epsilon) {
  // The first one is missing, too, where what makes it was refused.
  while (inputs.size() > 1 && inputs.back() == ir::kNoValue) inputs.pop_back();
  return b.node(Op::layer_norm, std::move(inputs), {{"axis", axis}, {"epsilon", epsilon}});
}

template <Op op>
Status softmax(NodeContext& c) {
  GraphBuilder& b = c.b;
  const int rank = c.rank(0);
  const ValueId x = c.value(0);
  if (c.opset >= 13 || rank == 0) {
    JITNEY_TRY(const int axis, c.axis(c.integer("axis", -1), rank));
    return c.set(0, b.node(op, {x}, {{"axis", static_cast<std::int64_t>(axis)}}));
  }
  // Before opset 13 everything from the axis on is one axis.
  JITNEY_TRY(const int axis, c.axis(c.integer("axis", 1), rank));
  if (axis == rank - 1) return c.set(0, b.node(op, {x}, {{"axis", static_cast<std::int64_t>(axis)}}));
  const Shape shape = c.shape(0);
  const Shape flat{ir::product({shape.begin(), shape.begin() + axis}),
                   ir::product({shape.begin() + axis, shape.end()})};
  return c.set(0, b.reshape(b.node(op, {b.reshape(x, flat)}, {{"axis", std::int64_t{1}}}), shape));
}

Status layer_normalization(NodeContext& c) {
  c.ignore({"stash_type"});  // the IR computes it in f32 at least
  GraphBuilder& b = c.b;
  JITNEY_TRY(const int axis, c.axis(c.integer("axis", -1), c.rank(0)));
  const double epsilon = c.real("epsilon", 1e-5);
  const DType dtype = c.dtype(0);
  const ValueId scale = b.cast(c.value(1), dtype);
  const ValueId bias = c.has(2) ? b.cast(c.value(2), dtype) : ir::kNoValue;
  JITNEY_CHECK(c.set(0, layer_norm(b, {c.value(0), scale, bias}, axis, epsilon)));
  if (!c.wants_output(1) && !c.wants_output(2)) return {};
  // The statistics, which training wants.
  const DType wide = dtype == DType::f64 ? dtype : DType::f32;
  const ValueId x = b.cast(c.value(0), wide);
  const auto axes = axes_from(axis, c.rank(0));
  const ValueId mean = b.reduce(Op::reduce_mean, x, axes, true);
  const ValueId centered = b.binary(Op::sub, x, mean);
  const ValueId variance = b.reduce(Op::reduce_mean, b.binary(Op::mul, centered, centered), axes, true);
  const ValueId inverse =
      b.unary(Op::reciprocal, b.unary(Op::sqrt, b.binary(Op::add, variance, b.scalar(epsilon, wide))));
  JITNEY_CHECK(c.set(1, mean));
  return c.set(2, inverse);
}

Status rms_normalization(NodeContext& c) {
  GraphBuilder& b = c.b;
  JITNEY_TRY(const int axis, c.axis(c.integer("axis", -1), c.rank(0)));
  const double epsilon = c.real("epsilon", 1e-5);
  const bool in_f32 = c.integer("stash_type", 1) == 1;
  const DType dtype = c.dtype(0);
  const DType wide = in_f32 && dtype != DType::f64 ? DType::f32 : dtype;
  const ValueId x = b.cast(c.value(0), wide);
  const ValueId mean = b.reduce(Op::reduce_mean, b.binary(Op::mul, x, x), axes_from(axis, c.rank(0)), true);
  const ValueId rms = b.unary(Op::sqrt, b.binary(Op::add, mean, b.scalar(epsilon, wide)));
  const ValueId normalized = b.cast(b.binary(Op::div, x, rms), c.dtype(1));
  return c.set(0, b.binary(Op::mul, normalized, c.value(1)));
}

Status batch_normalization(NodeContext& c) {
  c.ignore({"momentum"});
  if (c.integer("training_mode", 0) != 0) return c.error("training mode is not supported");
  if (c.integer("spatial", 1) != 1) return c.error("spatial must be 1");
  for (int i = 1; i < c.output_count(); ++i) {
    if (c.wants_output(i)) return c.error("output {} exists in training only, which is not supported", i);
  }
  std::vector<ValueId> inputs;
  for (int i = 0; i < 5; ++i) inputs.push_back(c.b.cast(c.value(i), c.dtype(0)));
  return c.set(0, c.b.node(Op::batch_norm, std::move(inputs), {{"epsilon", c.real("epsilon", 1e-5)}}));
}

/// Normalizes the parts of a sample that [n, groups, group, rest] gives: each over its last two axes. Scale and bias
/// have one of the shapes [groups, group, 1] and [groups, 1, 1]. All of it keeps the one shape, so that it is one
/// kernel.
ValueId normalize_groups(NodeContext& c, const Dim& groups, const Shape& affine, double epsilon) {
  GraphBuilder& b = c.b;
  const Shape shape = c.shape(0);
  const Shape grouped{shape[0], groups, Dim::floordiv(shape[1], groups), ir::product({shape.begin() + 2, shape.end()})};
  const ValueId normalized = layer_norm(b, {b.reshape(c.value(0), grouped)}, 2, epsilon);
  const ValueId scaled = b.binary(Op::mul, normalized, b.reshape(b.cast(c.value(1), c.dtype(0)), affine));
  return b.reshape(b.binary(Op::add, scaled, b.reshape(b.cast(c.value(2), c.dtype(0)), affine)), shape);
}

Status instance_normalization(NodeContext& c) {
  c.ignore({"consumed_inputs"});
  if (c.rank(0) < 3) return c.error("its input must have rank 3 or more, not {}", c.rank(0));
  const Dim channels = c.shape(0)[1];
  return c.set(0, normalize_groups(c, channels, {channels, Dim(1), Dim(1)}, c.real("epsilon", 1e-5)));
}

Status group_normalization(NodeContext& c) {
  c.ignore({"stash_type"});
  const std::int64_t groups = c.integer("num_groups", 0);
  const double epsilon = c.real("epsilon", 1e-5);
  if (c.rank(0) < 2) return c.error("its input must have rank 2 or more, not {}", c.rank(0));
  if (groups < 1) return c.error("num_groups is {}; it must be 1 or more", groups);
  const Dim channels = c.shape(0)[1];
  c.b.require(ir::Guard::Relation::divides, Dim(groups), channels,
              fmt::format("{}: num_groups {} must divide the {} channels", c.label(), groups, channels.to_string()));
  // Scale and bias are per channel since opset 21, and were per group.
  const Dim each = c.opset >= 21 ? Dim::floordiv(channels, Dim(groups)) : Dim(1);
  return c.set(0, normalize_groups(c, Dim(groups), {Dim(groups), each, Dim(1)}, epsilon));
}

/// (x - mean) / sqrt(variance) over some axes.
Status mean_variance_normalization(NodeContext& c) {
  GraphBuilder& b = c.b;
  JITNEY_TRY(const auto axes, c.axes(c.integer_list("axes").value_or(std::vector<std::int64_t>{0, 2, 3}), c.rank(0)));
  const DType dtype = c.dtype(0);
  const DType wide = dtype == DType::f64 ? dtype : DType::f32;
  const ValueId x = b.cast(c.value(0), wide);
  const ValueId centered = b.binary(Op::sub, x, b.reduce(Op::reduce_mean, x, axes, true));
  const ValueId variance = b.reduce(Op::reduce_mean, b.binary(Op::mul, centered, centered), axes, true);
  // What the standard divides by: it keeps a constant input from becoming NaN.
  const ValueId deviation = b.binary(Op::add, b.unary(Op::sqrt, variance), b.scalar(1e-9, wide));
  return c.set(0, b.cast(b.binary(Op::div, centered, deviation), dtype));
}

/// x / (bias + alpha/size * sum of squares of `size` neighbouring channels)^beta
Status local_response_normalization(NodeContext& c) {
  GraphBuilder& b = c.b;
  const std::int64_t size = c.integer("size", 0);
  const double alpha = c.real("alpha", 1e-4);
  const double beta = c.real("beta", 0.75);
  const double bias = c.real("bias", 1);
  if (c.rank(0) < 2) return c.error("its input must be [n, c, ...], not {}", ir::to_string(c.shape(0)));
  if (size < 1 || size > 1 << 15) return c.error("size is {}; it must be 1 or more", size);
  const Shape shape = c.shape(0);
  const DType dtype = c.dtype(0);
  const DType wide = dtype == DType::f64 ? dtype : DType::f32;
  const ValueId x = b.cast(c.value(0), wide);
  // The mean over a window of channels, absent ones counting as zeros: average pooling of one plane.
  const Shape plane{shape[0], Dim(1), shape[1], ir::product({shape.begin() + 2, shape.end()})};
  using Integers = std::vector<std::int64_t>;
  const ValueId mean = b.typed_node(Op::avg_pool, {b.reshape(b.binary(Op::mul, x, x), plane)}, wide, plane,
                                    {{"kernel", Integers{size, 1}},
                                     {"strides", Integers{1, 1}},
                                     {"dilations", Integers{1, 1}},
                                     {"pads", Integers{(size - 1) / 2, 0, size / 2, 0}},
                                     {"include_pad", std::int64_t{1}}});
  const ValueId base =
      b.binary(Op::add, b.binary(Op::mul, b.reshape(mean, shape), b.scalar(alpha, wide)), b.scalar(bias, wide));
  return c.set(0, b.cast(b.binary(Op::div, x, b.binary(Op::pow, base, b.scalar(beta, wide))), dtype));
}

Status lp_normalization(NodeContext& c) {
  GraphBuilder& b = c.b;
  JITNEY_TRY(const int axis, c.axis(c.integer("axis", -1), c.rank(0)));
  const std::int64_t p = c.integer("p", 2);
  if (p != 1 && p != 2) return c.error("p is {}; 1 and 2 are allowed", p);
  const ValueId x = c.value(0);
  const ValueId sum = b.reduce(Op::reduce_sum, p == 1 ? b.unary(Op::abs, x) : b.binary(Op::mul, x, x), {axis}, true);
  const ValueId norm = p == 1 ? sum : b.unary(Op::sqrt, sum);
  const ValueId zero = b.scalar(0, c.dtype(0));
  return c.set(0, b.where(b.binary(Op::equal, norm, zero), zero, b.binary(Op::div, x, norm)));
}

}  // namespace

std::span<const OperatorRow> normalize_operators() {
  static constexpr OperatorRow kRows[] = {
      {"Softmax", 1, 1, 1, softmax<Op::softmax>},
      {"LogSoftmax", 1, 1, 1, softmax<Op::log_softmax>},
      {"LayerNormalization", 17, 2, 3, layer_normalization},
      {"RMSNormalization", 23, 2, 2, rms_normalization},
      {"BatchNormalization", 1, 5, 5, batch_normalization},
      {"InstanceNormalization", 1, 3, 3, instance_normalization},
      {"GroupNormalization", 18, 3, 3, group_normalization},
      {"LpNormalization", 1, 1, 1, lp_normalization},
      {"MeanVarianceNormalization", 9, 1, 1, mean_variance_normalization},
      {"LRN", 1, 1, 1, local_response_normalization},
  };
  return kRows;
}

}  // namespace jitney::onnx
