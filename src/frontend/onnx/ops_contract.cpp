// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
// MatMul, Gemm and Conv.
#include <fmt/ranges.h>

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
  const ir::Shape& weight = c.shape(1);
  if (weight.size() < 3 || c.rank(0) != c.rank(1)) {
    return c.error("its input must be [n, c, spatial...] and its weight [o, c/group, kernel...]; they are {} and {}",
                   ir::to_string(c.shape(0)), ir::to_string(weight));
  }
  std::vector<std::int64_t> kernel;
  for (std::size_t i = 2; i < weight.size(); ++i) {
    const auto extent = weight[i].constant();
    if (!extent) return c.error("the kernel's extents must be constant; its weight is {}", ir::to_string(weight));
    kernel.push_back(*extent);
  }
  if (const auto declared = c.integer_list("kernel_shape"); declared && *declared != kernel) {
    return c.error("kernel_shape [{}] contradicts its weight {}", fmt::join(*declared, ", "), ir::to_string(weight));
  }
  JITNEY_TRY(Window w, read_window(c, c.shape(0), kernel));
  const std::int64_t groups = c.integer("group", 1);
  std::vector<ValueId> inputs{c.value(0), c.value(1)};
  if (c.has(2)) inputs.push_back(c.value(2));
  return c.set(0, c.b.node(Op::conv, std::move(inputs),
                           {{"strides", w.strides}, {"dilations", w.dilations}, {"pads", w.pads}, {"groups", groups}}));
}

}  // namespace

std::span<const OperatorRow> contract_operators() {
  static constexpr OperatorRow kRows[] = {
      {"MatMul", 1, 2, 2, matmul},
      {"Gemm", 1, 2, 3, gemm},
      {"Conv", 1, 2, 3, conv},
  };
  return kRows;
}

}  // namespace jitney::onnx
