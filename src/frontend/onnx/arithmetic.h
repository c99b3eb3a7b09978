// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <numeric>
#include <vector>

#include "frontend/onnx/graph_builder.h"

namespace jitney::onnx {

/// Operators on values of one dtype, so that formulas of converters read as formulas.
struct Arithmetic {
  GraphBuilder& b;
  DType dtype;

  using ValueId = ir::ValueId;

  ValueId number(double value) const { return b.scalar(value, dtype); }
  /// An extent as a number, which may depend on the shapes.
  ValueId number(const ir::Dim& extent) const {
    if (const auto known = extent.constant()) return number(static_cast<double>(*known));
    return b.cast(b.typed_node(ir::Op::dims, {}, DType::i64, {}, {{"values", ir::Shape{extent}}}), dtype);
  }
  /// 0, 1, ... along one axis of a shape of rank `rank`, whose other extents are 1.
  ValueId counter(const ir::Dim& extent, std::size_t rank, std::size_t axis) const {
    ir::Shape line(rank, ir::Dim(1));
    line[axis] = extent;
    return b.cast(b.iota(line, static_cast<int>(axis)), dtype);
  }

  ValueId add(ValueId l, ValueId r) const { return b.binary(ir::Op::add, l, r); }
  ValueId sub(ValueId l, ValueId r) const { return b.binary(ir::Op::sub, l, r); }
  ValueId mul(ValueId l, ValueId r) const { return b.binary(ir::Op::mul, l, r); }
  ValueId div(ValueId l, ValueId r) const { return b.binary(ir::Op::div, l, r); }
  ValueId min(ValueId l, ValueId r) const { return b.binary(ir::Op::min, l, r); }
  ValueId max(ValueId l, ValueId r) const { return b.binary(ir::Op::max, l, r); }
  ValueId mod(ValueId l, ValueId r) const { return b.binary(ir::Op::mod, l, r); }
  ValueId less(ValueId l, ValueId r) const { return b.binary(ir::Op::less, l, r); }
  ValueId less_equal(ValueId l, ValueId r) const { return b.binary(ir::Op::less_equal, l, r); }
  ValueId equal(ValueId l, ValueId r) const { return b.binary(ir::Op::equal, l, r); }
  ValueId both(ValueId l, ValueId r) const { return b.binary(ir::Op::logical_and, l, r); }
  ValueId where(ValueId c, ValueId l, ValueId r) const { return b.where(c, l, r); }
  ValueId floor(ValueId x) const { return is_floating(dtype) ? b.unary(ir::Op::floor, x) : x; }
  ValueId neg(ValueId x) const { return b.unary(ir::Op::neg, x); }
};

/// first, first + 1, ..., rank - 1.
inline std::vector<std::int64_t> axes_from(int first, int rank) {
  std::vector<std::int64_t> axes(static_cast<std::size_t>(rank > first ? rank - first : 0));
  std::iota(axes.begin(), axes.end(), first);
  return axes;
}

}  // namespace jitney::onnx
