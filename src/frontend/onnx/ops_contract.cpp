// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
// MatMul, Gemm, Conv and ConvTranspose.
#include <cmath>

#include "frontend/onnx/registry.h"
#include "frontend/onnx/window.h"

namespace jitney::onnx {
namespace {

using ir::Op;
using ir::ValueId;

Status matmul(NodeContext& c) { return c.set(0, c.b.binary(Op::matmul, c.value(0), c.value(1))); }

Status gemm(NodeContext& c) {
  GraphBuilder& b = c.b;
  c.ignore({"broadcast"});
  const double alpha = c.real("alpha", 1);
  const double beta = c.real("beta", 1);
  const bool transpose_a = c.integer("transA", 0) != 0;
  const bool transpose_b = c.integer("transB", 0) != 0;
  if (c.rank(0) != 2 || c.rank(1) != 2) {
    return c.error("A and B must have rank 2; they are {} and {}", ir::to_string(c.shape(0)),
                   ir::to_string(c.shape(1)));
  }
  if (!is_floating(c.dtype(0)) && (alpha != std::floor(alpha) || beta != std::floor(beta))) {
    return c.error("alpha {} and beta {} must be whole numbers for {}", alpha, beta, to_string(c.dtype(0)));
  }
  const ValueId left = transpose_a ? b.permute(c.value(0), {1, 0}) : c.value(0);
  const ValueId right = transpose_b ? b.permute(c.value(1), {1, 0}) : c.value(1);
  ValueId y = b.binary(Op::matmul, left, right);
  if (alpha != 1) y = b.binary(Op::mul, y, b.scalar(alpha, c.dtype(0)));
  if (c.has(2) && beta != 0) {
    if (c.rank(2) > 2) return c.error("C must broadcast to a matrix; it is {}", ir::to_string(c.shape(2)));
    ValueId addend = c.value(2);
    if (beta != 1) addend = b.binary(Op::mul, addend, b.scalar(beta, c.dtype(0)));
    y = b.binary(Op::add, y, addend);
  }
  return c.set(0, y);
}

Status conv(NodeContext& c) {
  JITNEY_TRY(const auto kernel, kernel_of(c, 1, "o, c/group"));
  JITNEY_TRY(Window w, read_window(c, c.shape(0), kernel));
  const std::int64_t groups = c.integer("group", 1);
  std::vector<ValueId> inputs{c.value(0), c.value(1)};
  if (c.has(2)) inputs.push_back(c.value(2));
  return c.set(0, c.b.node(Op::conv, std::move(inputs),
                           {{"strides", w.strides}, {"dilations", w.dilations}, {"pads", w.pads}, {"groups", groups}}));
}

/// The padding that gives the extents that the model asks for: output_shape, or auto_pad's input times stride.
Status pad_to_shape(NodeContext& c, Window& w, const std::vector<std::int64_t>& extra,
                    const std::optional<std::vector<std::int64_t>>& wanted, bool more_at_the_beginning) {
  const std::size_t spatial = w.kernel.size();
  for (std::size_t i = 0; i < spatial; ++i) {
    const auto extent = c.shape(0)[2 + i].constant();
    std::int64_t total = w.reach(i) - w.strides[i] + extra[i];  // for an output of input times stride
    if (wanted) {
      if (!extent) return c.error("output_shape needs a constant input extent on axis {}", 2 + i);
      total = (*extent - 1) * w.strides[i] + w.reach(i) + extra[i] - (*wanted)[i];
    }
    if (total < 0) {  // larger than what the input reaches: zeros at the end
      w.pads[i] = 0;
      w.pads[spatial + i] = total;
      continue;
    }
    const std::int64_t smaller = total / 2;
    w.pads[i] = more_at_the_beginning ? total - smaller : smaller;
    w.pads[spatial + i] = total - w.pads[i];
  }
  return {};
}

Status conv_transpose(NodeContext& c) {
  JITNEY_TRY(const auto kernel, kernel_of(c, 1, "c, o/group"));
  const std::size_t spatial = kernel.size();
  const std::string auto_pad = c.text("auto_pad", "NOTSET");
  auto wanted = c.integer_list("output_shape");
  // Some exporters give batch and channels, too.
  if (wanted && wanted->size() == spatial + 2) wanted->erase(wanted->begin(), wanted->begin() + 2);
  if (wanted && wanted->size() != spatial)
    return c.error("output_shape has {} entries; {} are needed", wanted->size(), spatial);
  const auto extra = c.integer_list("output_padding").value_or(std::vector<std::int64_t>(spatial, 0));
  if (extra.size() != spatial) return c.error("output_padding has {} entries; {} are needed", extra.size(), spatial);
  JITNEY_TRY(Window w, read_window(c, c.shape(0), kernel, false));
  for (std::size_t i = 0; i < spatial; ++i) {
    if (extra[i] < 0 || extra[i] >= std::max(w.strides[i], w.dilations[i]))
      return c.error("output_padding has the entry {}; it must be from 0 to below the stride or dilation", extra[i]);
  }
  if (wanted || auto_pad.starts_with("SAME")) JITNEY_CHECK(pad_to_shape(c, w, extra, wanted, auto_pad != "SAME_UPPER"));
  // What is appended is padding that is not cut off.
  for (std::size_t i = 0; i < spatial; ++i) w.pads[spatial + i] -= extra[i];
  std::vector<ValueId> inputs{c.value(0), c.value(1)};
  if (c.has(2)) inputs.push_back(c.value(2));
  return c.set(
      0,
      c.b.node(
          Op::conv_transpose, std::move(inputs),
          {{"strides", w.strides}, {"dilations", w.dilations}, {"pads", w.pads}, {"groups", c.integer("group", 1)}}));
}

}  // namespace

std::span<const OperatorRow> contract_operators() {
  static constexpr OperatorRow kRows[] = {
      {"MatMul", 1, 2, 2, matmul},
      {"Gemm", 1, 2, 3, gemm},
      {"Conv", 1, 2, 3, conv},
      {"ConvTranspose", 1, 2, 3, conv_transpose},
  };
  return kRows;
}

}  // namespace jitney::onnx
