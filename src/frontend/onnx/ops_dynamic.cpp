// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
// Operators whose outputs' extents follow from data: NonZero, Compress, Unique, NonMaxSuppression.
#include <limits>

#include "frontend/onnx/dynamic.h"
#include "frontend/onnx/registry.h"

namespace jitney::onnx {
namespace {

using ir::Dim;
using ir::Op;
using ir::Shape;
using ir::ValueId;

/// Everything along one axis.
ValueId flat(NodeContext& c, ValueId x) { return c.b.reshape(x, {ir::product(c.b.shape(x))}); }

std::int64_t most(const Dim& extent) { return extent.constant().value_or(std::numeric_limits<std::int64_t>::max()); }

Status unique(NodeContext& c) {
  ValueId x = c.value(0);
  std::int64_t axis = 0;
  if (c.has_attribute("axis")) {
    JITNEY_TRY(axis, c.axis(c.integer("axis", 0), c.rank(0)));
  } else {
    x = flat(c, x);
  }
  if (!c.b.ok()) return c.b.status();
  const std::int64_t sorted = c.integer("sorted", 1);
  Shape to = c.b.shape(x);
  Dim& different = to[static_cast<std::size_t>(axis)];
  const Dim all = different;
  different = c.b.new_symbol(most(all));
  const Dim n = different;
  const auto outputs =
      c.b.hosted(Op::unique, {x}, {{c.dtype(0), to}, {DType::i64, {n}}, {DType::i64, {all}}, {DType::i64, {n}}}, {n},
                 {{"axis", axis}, {"sorted", sorted}});
  for (int i = 0; i < 4; ++i) JITNEY_CHECK(c.set(i, outputs[static_cast<std::size_t>(i)]));
  return {};
}

Status non_max_suppression(NodeContext& c) {
  for (int i = 0; i < 2; ++i) {
    if (c.rank(i) != 3 || c.dtype(i) != DType::f32)
      return c.error("its boxes and scores must be float of rank 3, not {}{}", to_string(c.dtype(i)),
                     ir::to_string(c.shape(i)));
  }
  c.b.require(ir::Guard::Relation::equal, c.shape(0)[0], c.shape(1)[0], fmt::format("{}: its batches", c.label()));
  c.b.require(ir::Guard::Relation::equal, c.shape(0)[1], c.shape(1)[2], fmt::format("{}: its boxes", c.label()));
  std::vector<ValueId> inputs;
  for (int i = 0; i < 5; ++i) {
    const DType type = i == 2 ? DType::i64 : DType::f32;
    if (c.has(i) && c.dtype(i) != type)
      return c.error("its input {} must be {}, not {}", i, to_string(type), to_string(c.dtype(i)));
    if (i >= 2 && c.has(i))
      c.b.require(ir::Guard::Relation::equal, ir::product(c.shape(i)), Dim(1),
                  fmt::format("{}: its input {} must have one element", c.label(), i));
    inputs.push_back(c.value(i));
  }
  const Dim found = c.b.new_symbol();
  return c.set(0, c.b.hosted(Op::non_max_suppression, std::move(inputs), {{DType::i64, {found, Dim(3)}}}, {found},
                             {{"center", c.integer("center_point_box", 0)}})[0]);
}

}  // namespace

Status nonzero_of_data(NodeContext& c) {
  ValueId x = c.value(0);
  if (c.rank(0) == 0) x = c.b.reshape(x, {Dim(1)});
  const Dim found = c.b.new_symbol(most(ir::product(c.shape(0))));
  const Dim rank(static_cast<std::int64_t>(c.b.rank(x)));
  return c.set(0, c.b.hosted(Op::nonzero, {x}, {{DType::i64, {rank, found}}}, {found})[0]);
}

Status compress_by_data(NodeContext& c) {
  if (c.dtype(1) != DType::boolean || c.rank(1) != 1)
    return c.error("its condition must be bool of rank 1, not {}{}", to_string(c.dtype(1)), ir::to_string(c.shape(1)));
  ValueId x = c.value(0);
  std::int64_t axis = 0;
  if (c.has_attribute("axis")) {
    JITNEY_TRY(axis, c.axis(c.integer("axis", 0), c.rank(0)));
  } else {
    x = flat(c, x);
  }
  if (!c.b.ok()) return c.b.status();
  Shape to = c.b.shape(x);
  Dim& kept = to[static_cast<std::size_t>(axis)];
  kept = c.b.new_symbol(most(kept));
  const Dim symbol = kept;
  return c.set(0, c.b.hosted(Op::compress, {x, c.value(1)}, {{c.dtype(0), to}}, {symbol}, {{"axis", axis}})[0]);
}

std::span<const OperatorRow> dynamic_operators() {
  static constexpr OperatorRow kRows[] = {
      {"Unique", 11, 1, 1, unique},
      {"NonMaxSuppression", 10, 2, 5, non_max_suppression},
  };
  return kRows;
}

}  // namespace jitney::onnx
