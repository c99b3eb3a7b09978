// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
// Comparisons, logic, bits, and Where. Comparisons of extents are decided where that holds for all shapes.
#include <limits>

#include "frontend/onnx/registry.h"

namespace jitney::onnx {
namespace {

using ir::Dim;
using ir::Op;
using ir::ValueId;

std::optional<Dim> truth(std::optional<bool> decided) {
  if (!decided) return std::nullopt;
  return Dim(*decided ? 1 : 0);
}

std::optional<Dim> less_than(const Dim& a, const Dim& b, const Symbols& symbols) {
  if (proves_at_least(b, a + Dim(1), symbols)) return Dim(1);
  if (proves_at_least(a, b, symbols)) return Dim(0);
  return std::nullopt;
}

std::optional<Dim> opposite(const std::optional<Dim>& value) {
  if (!value) return std::nullopt;
  return Dim(1) - *value;
}

bool computed(NodeContext& c, const ElementFunction& f) {
  if (!c.known(0) || !c.known(1) || c.dtype(0) != c.dtype(1)) return false;
  auto result = zip(*c.known(0), *c.known(1), f);
  return result && c.set_known(0, DType::boolean, std::move(*result));
}

Status equal(NodeContext& c) {
  if (computed(c, [&](const Dim& a, const Dim& b) { return truth(decide_equal(a, b, c.b.symbols())); })) return {};
  return c.set(0, c.b.binary(Op::equal, c.value(0), c.value(1)));
}

/// a < b, or with them swapped a > b.
template <Op op, bool swapped>
Status compare(NodeContext& c) {
  const auto decided = [&](const Dim& a, const Dim& b) {
    const Dim& left = swapped ? b : a;
    const Dim& right = swapped ? a : b;
    // a <= b is not b < a.
    return op == Op::less ? less_than(left, right, c.b.symbols()) : opposite(less_than(right, left, c.b.symbols()));
  };
  if (computed(c, decided)) return {};
  return c.set(0, c.b.binary(op, c.value(swapped ? 1 : 0), c.value(swapped ? 0 : 1)));
}

template <Op op>
Status logical(NodeContext& c) {
  const auto decided = [](const Dim& a, const Dim& b) -> std::optional<Dim> {
    const auto l = a.constant();
    const auto r = b.constant();
    if (!l || !r) return std::nullopt;
    if (op == Op::logical_and) return Dim(*l != 0 && *r != 0);
    if (op == Op::logical_or) return Dim(*l != 0 || *r != 0);
    return Dim((*l != 0) != (*r != 0));
  };
  if (c.dtype(0) == DType::boolean && computed(c, decided)) return {};
  return c.set(0, c.b.binary(op, c.value(0), c.value(1)));
}

Status logical_not(NodeContext& c) {
  if (c.known(0) && c.dtype(0) == DType::boolean) {
    ShapeTensor result = *c.known(0);
    for (Dim& value : result.values) value = Dim(1) - value;
    if (c.set_known(0, DType::boolean, std::move(result))) return {};
  }
  return c.set(0, c.b.unary(Op::logical_not, c.value(0)));
}

template <Op op>
Status bitwise(NodeContext& c) {
  return c.set(0, c.b.binary(op, c.value(0), c.value(1)));
}

Status bit_shift(NodeContext& c) {
  const std::string direction = c.text("direction", "");
  if (direction != "LEFT" && direction != "RIGHT")
    return c.error("direction is '{}'; 'LEFT' and 'RIGHT' are allowed", direction);
  return c.set(0, c.b.binary(direction == "LEFT" ? Op::shift_left : Op::shift_right, c.value(0), c.value(1)));
}

Status is_infinite(NodeContext& c) {
  const bool negative = c.integer("detect_negative", 1) != 0;
  const bool positive = c.integer("detect_positive", 1) != 0;
  ValueId x = c.value(0);
  const ValueId infinity = c.b.scalar(std::numeric_limits<double>::infinity(), c.dtype(0));
  if (negative && positive) x = c.b.unary(Op::abs, x);
  if (negative && !positive) x = c.b.unary(Op::neg, x);
  if (!negative && !positive) return c.set(0, c.b.expand(c.b.scalar(0, DType::boolean), c.shape(0)));
  return c.set(0, c.b.binary(Op::equal, x, infinity));
}

/// Exporters write Expand's target as Where(shape == -1, ones, shape): decided element by element.
bool computed_where(NodeContext& c) {
  if (!c.known(0) || !c.known(1) || !c.known(2) || c.dtype(1) != c.dtype(2)) return false;
  // Two steps, for zip takes two: positions of the choice in a, then the choice between a and b.
  const auto yes = zip(*c.known(0), *c.known(1), [](const Dim&, const Dim& a) { return a; });
  const auto condition = zip(*c.known(0), *c.known(1), [](const Dim& k, const Dim&) { return k; });
  if (!yes || !condition) return false;
  const auto pick = zip(*condition, *c.known(2), [](const Dim& k, const Dim&) { return k; });
  const auto a = zip(*yes, *c.known(2), [](const Dim& v, const Dim&) { return v; });
  const auto b = zip(*yes, *c.known(2), [](const Dim&, const Dim& v) { return v; });
  if (!pick || !a || !b) return false;
  ShapeTensor result{a->shape, {}};
  for (std::size_t i = 0; i < a->values.size(); ++i) {
    const auto chosen = pick->values[i].constant();
    if (!chosen && !(a->values[i] == b->values[i])) return false;
    result.values.push_back(chosen == 0 ? b->values[i] : a->values[i]);
  }
  return c.set_known(0, c.dtype(1), std::move(result));
}

Status where(NodeContext& c) {
  if (computed_where(c)) return {};
  return c.set(0, c.b.where(c.value(0), c.value(1), c.value(2)));
}

}  // namespace

std::span<const OperatorRow> logic_operators() {
  static constexpr OperatorRow kRows[] = {
      {"Equal", 1, 2, 2, equal},
      {"Less", 1, 2, 2, compare<Op::less, false>},
      {"LessOrEqual", 12, 2, 2, compare<Op::less_equal, false>},
      {"Greater", 1, 2, 2, compare<Op::less, true>},
      {"GreaterOrEqual", 12, 2, 2, compare<Op::less_equal, true>},
      {"And", 1, 2, 2, logical<Op::logical_and>},
      {"Or", 1, 2, 2, logical<Op::logical_or>},
      {"Xor", 1, 2, 2, logical<Op::logical_xor>},
      {"Not", 1, 1, 1, logical_not},
      {"BitwiseAnd", 18, 2, 2, bitwise<Op::bitwise_and>},
      {"BitwiseOr", 18, 2, 2, bitwise<Op::bitwise_or>},
      {"BitwiseXor", 18, 2, 2, bitwise<Op::bitwise_xor>},
      {"BitShift", 11, 2, 2, bit_shift},
      {"IsInf", 10, 1, 1, is_infinite},
      {"Where", 9, 3, 3, where},
  };
  return kRows;
}

}  // namespace jitney::onnx
