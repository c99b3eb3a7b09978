// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "passes/decompose_pad.h"

namespace jitney::passes {

using ir::Dim;
using ir::Op;
using ir::ValueId;

ValueId gathered_pad(Rewriter& rw, const ir::Node& node) {
  const ValueId x = rw(node.inputs[0]);
  const ir::Shape from = rw.to.value(x).shape;
  const auto& out = rw.from.value(node.outputs[0]);
  const auto& before = node.dims("before");
  const std::string& mode = node.text("mode");
  std::vector<ValueId> inputs{x};
  std::vector<std::int64_t> axes;
  for (std::size_t d = 0; d < from.size(); ++d) {
    if (before[d].is(0) && from[d] == out.shape[d]) continue;
    const ir::Shape line{out.shape[d]};
    const auto emit = [&](Op op, std::vector<ValueId> in, ir::Attributes a = {}) {
      return rw.emit(op, node.name, std::move(in), DType::i64, line, std::move(a));
    };
    const auto number = [&](const Dim& v) {
      return rw.emit(Op::dims, node.name, {}, DType::i64, {}, {{"values", ir::Shape{v}}});
    };
    const Dim last = from[d] - Dim(1);
    ValueId i = emit(Op::sub, {emit(Op::iota, {}, {{"axis", std::int64_t{0}}}), number(before[d])});
    if (mode == "edge") {
      i = emit(Op::min, {emit(Op::max, {i, rw.scalar(DType::i64, 0)}), number(last)});
    } else if (mode == "wrap") {
      i = emit(Op::mod, {i, number(from[d])});
    } else {
      // 0 1 2 3 2 1 | 0 1 2 3 2 1 | ...; the period of a single element is 0, and modulo 0 is 0.
      const ValueId period = number(Dim(2) * last), within = emit(Op::mod, {i, period});
      i = emit(Op::min, {within, emit(Op::sub, {period, within})});
    }
    inputs.push_back(i);
    axes.push_back(static_cast<std::int64_t>(d));
  }
  if (axes.empty()) return x;
  return rw.emit(Op::gather_grid, node.name, std::move(inputs), out.dtype, out.shape, {{"axes", std::move(axes)}});
}

}  // namespace jitney::passes
