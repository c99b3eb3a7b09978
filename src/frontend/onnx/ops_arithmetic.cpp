// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
// Add, Sub, ...: on data they become nodes; on shapes they are computed.
#include "frontend/onnx/registry.h"

namespace jitney::onnx {
namespace {

using ir::Dim;
using ir::Op;
using ir::ValueId;

/// The elements of the result if both inputs are shape tensors; true if the output is set.
bool computed(NodeContext& c, const ElementFunction& f) {
  if (!c.known(0) || !c.known(1) || c.dtype(0) != c.dtype(1) || c.dtype(0) == DType::boolean) return false;
  auto result = zip(*c.known(0), *c.known(1), f);
  return result && c.set_known(0, c.dtype(0), std::move(*result));
}

Status binary(NodeContext& c, Op op, const ElementFunction& f) {
  c.ignore({"axis", "broadcast"});  // opset 6 and before; without effect at 7 and later
  if (computed(c, f)) return {};
  return c.set(0, c.b.binary(op, c.value(0), c.value(1)));
}

Status add(NodeContext& c) {
  return binary(c, Op::add, [](const Dim& a, const Dim& b) { return a + b; });
}
Status sub(NodeContext& c) {
  return binary(c, Op::sub, [](const Dim& a, const Dim& b) { return a - b; });
}
Status mul(NodeContext& c) {
  return binary(c, Op::mul, [](const Dim& a, const Dim& b) { return a * b; });
}
Status div(NodeContext& c) {
  const Symbols& symbols = c.b.symbols();
  return binary(c, Op::div, [&](const Dim& a, const Dim& b) { return truncating_division(a, b, symbols); });
}

Status mod(NodeContext& c) {
  const bool like_c = c.integer("fmod", 0) != 0;
  const Symbols& symbols = c.b.symbols();
  return binary(c, like_c ? Op::fmod : Op::mod, [&](const Dim& a, const Dim& b) -> std::optional<Dim> {
    if (b.is(0) || (!b.is_constant() && lower_bound(b, symbols) < 0)) return std::nullopt;
    // The two kinds differ only where signs differ.
    if (like_c && (lower_bound(a, symbols) < 0 || lower_bound(b, symbols) < 0)) return std::nullopt;
    return Dim::mod(a, b);
  });
}

Status pow(NodeContext& c) {
  ValueId base = c.value(0);
  ValueId exponent = c.value(1);
  const DType result = c.dtype(0);
  // An integer to a real power is computed as a real and comes back as an integer.
  const DType compute = is_floating(result) || !is_floating(c.dtype(1)) ? result : c.dtype(1);
  return c.set(0, c.b.cast(c.b.binary(Op::pow, c.b.cast(base, compute), c.b.cast(exponent, compute)), result));
}

/// Any number of inputs, combined from left to right.
Status fold(NodeContext& c, Op op, const ElementFunction& f) {
  if (c.input_count() == 1) return c.set(0, c.input_pointer(0));
  for (int i = 0; i < c.input_count(); ++i) {
    if (!c.has(i)) return c.error("input {} is missing", i);
  }
  if (c.input_count() == 2 && computed(c, f)) return {};
  ValueId result = c.value(0);
  for (int i = 1; i < c.input_count(); ++i) result = c.b.binary(op, result, c.value(i));
  return c.set(0, result);
}

Status min(NodeContext& c) {
  return fold(c, Op::min, [&](const Dim& a, const Dim& b) { return min_of(a, b, c.b.symbols()); });
}
Status max(NodeContext& c) {
  return fold(c, Op::max, [&](const Dim& a, const Dim& b) { return max_of(a, b, c.b.symbols()); });
}
Status sum(NodeContext& c) {
  return fold(c, Op::add, [](const Dim&, const Dim&) { return std::nullopt; });
}

Status mean(NodeContext& c) {
  ValueId total = c.value(0);
  for (int i = 1; i < c.input_count(); ++i) {
    if (!c.has(i)) return c.error("input {} is missing", i);
    total = c.b.binary(Op::add, total, c.value(i));
  }
  return c.set(0, c.b.binary(Op::div, total, c.b.scalar(c.input_count(), c.dtype(0))));
}

}  // namespace

std::span<const OperatorRow> arithmetic_operators() {
  static constexpr OperatorRow kRows[] = {
      {"Add", 1, 2, 2, add},          {"Sub", 1, 2, 2, sub},
      {"Mul", 1, 2, 2, mul},          {"Div", 1, 2, 2, div},
      {"Mod", 10, 2, 2, mod},         {"Pow", 1, 2, 2, pow},
      {"Min", 1, 1, kAnyNumber, min}, {"Max", 1, 1, kAnyNumber, max},
      {"Sum", 1, 1, kAnyNumber, sum}, {"Mean", 1, 1, kAnyNumber, mean},
  };
  return kRows;
}

}  // namespace jitney::onnx
