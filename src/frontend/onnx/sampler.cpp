// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "frontend/onnx/sampler.h"

namespace jitney::onnx {

using ir::Dim;
using ir::kNoValue;
using ir::Op;
using ir::Shape;
using ir::ValueId;

ValueId index_inside(const Arithmetic& m, ValueId x, const Dim& extent) {
  const ValueId last = m.sub(m.number(extent), m.number(1.0));
  return m.b.cast(m.max(m.min(x, last), m.number(0.0)), DType::i64);
}

ValueId is_inside(const Arithmetic& m, ValueId x, const Dim& extent) {
  return m.both(m.less_equal(m.number(0.0), x), m.less(x, m.number(extent)));
}

std::vector<SampleTap> linear_taps_with_zeros(const Arithmetic& m, ValueId x, const Dim& extent) {
  const ValueId first = m.floor(x), second = m.add(first, m.number(1.0)), weight = m.sub(x, first);
  return {{index_inside(m, first, extent), m.sub(m.number(1.0), weight), is_inside(m, first, extent)},
          {index_inside(m, second, extent), weight, is_inside(m, second, extent)}};
}

ValueId sample(const Arithmetic& m, ValueId data, const std::vector<SampleAxis>& axes, const Dim& samples,
               SampleJoin join) {
  GraphBuilder& b = m.b;
  if (!b.ok()) return kNoValue;
  const Arithmetic i64{b, DType::i64};
  const Shape from = b.shape(data);
  const Shape to{from[0], from[1], samples};
  std::vector<std::size_t> tap(axes.size(), 0);
  ValueId result = kNoValue;
  for (;;) {
    ValueId place = kNoValue, weight = kNoValue, valid = kNoValue;
    for (std::size_t i = 0; i < axes.size(); ++i) {
      const SampleTap& t = axes[i].taps[tap[i]];
      place = place == kNoValue ? t.index : i64.add(i64.mul(place, i64.number(axes[i].extent)), t.index);
      if (t.weight != kNoValue) weight = weight == kNoValue ? t.weight : m.mul(weight, t.weight);
      if (t.valid != kNoValue) valid = valid == kNoValue ? t.valid : m.both(valid, t.valid);
    }
    ValueId part = b.node(Op::gather_elements, {data, b.expand(place, to)}, {{"axis", std::int64_t{2}}});
    if (weight != kNoValue) part = m.mul(part, weight);
    if (valid != kNoValue) part = m.where(valid, part, m.number(0.0));
    if (result == kNoValue)
      result = part;
    else
      result = join == SampleJoin::sum ? m.add(result, part) : m.max(result, part);
    std::size_t i = axes.size();
    while (i-- > 0) {
      if (++tap[i] < axes[i].taps.size()) break;
      tap[i] = 0;
    }
    if (i == static_cast<std::size_t>(-1) || !b.ok()) return result;
  }
}

}  // namespace jitney::onnx
