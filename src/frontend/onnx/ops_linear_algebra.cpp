// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
// Det: elimination with the largest pivot of each column, one step after the other.
#include "frontend/onnx/arithmetic.h"
#include "frontend/onnx/registry.h"

namespace jitney::onnx {
namespace {

using ir::Dim;
using ir::Op;
using ir::Shape;
using ir::ValueId;

constexpr std::int64_t kMaxRows = 32;  // each is a dozen operators

Status determinant(NodeContext& c) {
  GraphBuilder& b = c.b;
  const Shape shape = c.shape(0);
  if (shape.size() < 2 || !is_floating(c.dtype(0)))
    return c.error("its input must be floating point matrices, not {} {}", to_string(c.dtype(0)), ir::to_string(shape));
  const auto rows = shape.back().constant(), columns = shape[shape.size() - 2].constant();
  if (!rows || rows != columns || *rows > kMaxRows)
    return c.error("its matrices must be square with a constant extent of up to {}, not {}", kMaxRows,
                   ir::to_string(shape));
  const Shape outer(shape.begin(), shape.end() - 2);
  const Dim batch = ir::product(outer);
  const Arithmetic m{b, c.dtype(0) == DType::f64 ? DType::f64 : DType::f32}, i64{b, DType::i64};
  ValueId rest = b.reshape(b.cast(c.value(0), m.dtype), {batch, Dim(*rows), Dim(*rows)});
  ValueId product = b.expand(m.number(1.0), {batch, Dim(1), Dim(1)});
  for (std::int64_t n = *rows; n > 0 && b.ok(); --n) {
    const auto part = [&](ValueId x, std::int64_t row, std::int64_t column, std::int64_t height, std::int64_t width) {
      return b.slice(x, {Dim(0), Dim(row), Dim(column)}, {1, 1, 1}, {batch, Dim(height), Dim(width)});
    };
    if (n == 1) {
      product = m.mul(product, rest);
      break;
    }
    const ValueId best =
        b.node(Op::arg_max, {b.unary(Op::abs, part(rest, 0, 0, n, 1))},
               {{"axes", std::vector<std::int64_t>{1}}, {"keepdims", std::int64_t{1}}, {"last", std::int64_t{0}}});
    const ValueId row = i64.counter(Dim(n), 3, 1), first = i64.number(0.0);
    const ValueId from = i64.where(i64.equal(row, first), best, i64.where(i64.equal(row, best), first, row));
    const ValueId swapped =
        b.node(Op::gather_elements, {rest, b.expand(from, {batch, Dim(n), Dim(n)})}, {{"axis", std::int64_t{1}}});
    const ValueId pivot = part(swapped, 0, 0, 1, 1);
    product = m.mul(product, m.where(i64.equal(best, first), pivot, m.neg(pivot)));
    // Without a pivot the determinant is 0 already: what follows only must not be NaN.
    const ValueId safe = m.where(m.equal(pivot, m.number(0.0)), m.number(1.0), pivot);
    const ValueId factor = m.div(part(swapped, 1, 0, n - 1, 1), safe);
    rest = m.sub(part(swapped, 1, 1, n - 1, n - 1), m.mul(factor, part(swapped, 0, 1, 1, n - 1)));
  }
  return c.set(0, b.cast(b.reshape(product, outer), c.dtype(0)));
}

}  // namespace

std::span<const OperatorRow> linear_algebra_operators() {
  static constexpr OperatorRow kRows[] = {{"Det", 11, 1, 1, determinant}};
  return kRows;
}

}  // namespace jitney::onnx
