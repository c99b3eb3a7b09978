// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
// What random graphs move, look up, and turn into other dtypes.
#include "runtime/random_grower.h"

namespace jitney::testing {

void Grower::permute() {
  const ValueId x = ranked(2);
  if (x < 0) return;
  Axes perm(shape(x).size());
  for (std::size_t i = 0; i < perm.size(); ++i) perm[i] = static_cast<std::int64_t>(i);
  std::shuffle(perm.begin(), perm.end(), rng_);
  Shape t;
  for (auto a : perm) t.push_back(shape(x)[index(a)]);
  moved(Op::permute, {x}, t, {{"perm", perm}});
}

void Grower::reshape() {
  const ValueId x = ranked();
  if (x < 0) return;
  Shape s = shape(x);
  const std::size_t cut = at_most(s.size() + 1);
  Shape t{ir::product({s.begin(), s.begin() + static_cast<std::ptrdiff_t>(cut)}),
          ir::product({s.begin() + static_cast<std::ptrdiff_t>(cut), s.end()})};
  if (chance(3)) t = Shape{ir::product(s)};
  if (chance(3)) t.insert(t.begin() + static_cast<std::ptrdiff_t>(at_most(t.size() + 1)), 1);
  if (s.back().is(6) && chance(3)) {
    t = s;
    t.back() = 2;
    t.push_back(3);
  }
  moved(Op::reshape, {x}, t, {});
}

void Grower::concat() {
  const ValueId x = ranked();
  if (x < 0) return;
  const std::size_t axis = at_most(shape(x).size());
  std::vector<ValueId> parts{x};
  Facts f = facts(x);
  Shape s = shape(x);
  for (int i = pick(3); i >= 0; --i) {
    const ValueId y = any([&](ValueId v) {
      if (dtype(v) != dtype(x) || shape(v).size() != s.size()) return false;
      for (std::size_t d = 0; d < s.size(); ++d)
        if (d != axis && !(shape(v)[d] == s[d])) return false;
      return true;
    });
    if (y < 0) continue;
    parts.push_back(y);
    s[axis] = s[axis] + shape(y)[axis];
    f = {std::max(f.size, facts(y).size), std::max(f.error, facts(y).error)};
  }
  if (elements(s) > kMostElements) return;
  facts(moved(Op::concat, parts, s, {{"axis", static_cast<std::int64_t>(axis)}})) = f;
}

void Grower::slice() {
  const ValueId x = ranked();
  if (x < 0) return;
  Shape s = shape(x), starts(s.size(), 0), steps(s.size(), 1), t = s;
  for (std::size_t d = 0; d < s.size(); ++d) {
    if (chance(2)) continue;
    const auto extent = s[d].constant();
    if (!extent) {
      const std::int64_t step = 1 + pick(3);
      steps[d] = step;
      t[d] = Dim::ceildiv(s[d], step);
      continue;
    }
    if (*extent == 0) continue;
    const std::int64_t start = pick(static_cast<int>(*extent));
    std::int64_t step = pick(7) - 3;
    if (step == 0) step = -1;
    const std::int64_t most = step > 0 ? (*extent - start + step - 1) / step : start / -step + 1;
    starts[d] = start;
    steps[d] = step;
    t[d] = chance(12) ? 0 : 1 + pick(static_cast<int>(most));
  }
  moved(Op::slice, {x}, t, {{"starts", starts}, {"steps", steps}});
}

void Grower::pad() {
  const ValueId x = ranked();
  if (x < 0) return;
  Shape s = shape(x), before(s.size(), 0), t = s;
  static constexpr const char* kModes[] = {"constant", "constant", "edge", "reflect", "wrap"};
  const std::string mode = kModes[pick(5)];
  for (std::size_t d = 0; d < s.size(); ++d) {
    if (chance(2)) continue;
    if (mode != "constant" && s[d].constant().value_or(0) < 4) continue;
    const std::int64_t ahead = pick(4), behind = pick(4);
    before[d] = ahead;
    t[d] = s[d] + Dim(ahead + behind);
  }
  if (elements(t) > kMostElements) return;
  moved(Op::pad, {x}, t, {{"before", before}, {"value", 2.0}, {"mode", mode}});
}

void Grower::gather() {
  const ValueId x = any([&](ValueId v) {
    return std::any_of(shape(v).begin(), shape(v).end(), [](const Dim& d) { return d.constant().value_or(0) > 0; });
  });
  if (x < 0) return;
  const Shape s = shape(x);
  std::size_t axis = 0;
  do axis = at_most(s.size());
  while (s[axis].constant().value_or(0) < 1);
  const std::int64_t extent = *s[axis].constant();
  const auto of = [&](Shape i) {
    return add_input(chance(2) ? DType::i32 : DType::i64, std::move(i), -extent, extent - 1);
  };
  const Facts f = facts(x);
  switch (pick(3)) {
    case 0: {
      const Shape indices[] = {{}, {4}, {m}, {2, 3}};
      node(Op::gather, {x, of(indices[pick(4)])}, {{"axis", static_cast<std::int64_t>(axis)}}, f);
      return;
    }
    case 1: {
      Shape i = s;
      i[axis] = 1 + pick(9);
      node(Op::gather_elements, {x, of(i)}, {{"axis", static_cast<std::int64_t>(axis)}}, f);
      return;
    }
    default:
      node(Op::gather_grid, {x, of({chance(2) ? m : Dim(5)})}, {{"axes", Axes{static_cast<std::int64_t>(axis)}}}, f);
  }
}

void Grower::scatter() {
  const ValueId x = any([&](ValueId v) {
    return !shape(v).empty() && shape(v).back().is(6) && dtype(v) != DType::boolean && facts(v).size < kLargest;
  });
  if (x < 0) return;
  const Shape s = shape(x);
  Shape few = s;
  few.back() = 1 + pick(9);
  const ValueId updates = add_input(dtype(x), few);
  const ValueId indices = add_input(DType::i64, few, -6, 5);
  static constexpr const char* kModes[] = {"none", "add", "max", "min"};
  const std::string mode = kModes[pick(4)];
  Facts f = facts(x);
  f.size += 60;
  f.error += mode == "add" ? 20 * unit(dtype(x)) * f.size : 0;
  node(Op::scatter_elements, {x, indices, updates}, {{"axis", static_cast<std::int64_t>(s.size()) - 1}, {"mode", mode}},
       f);
}

void Grower::cast() {
  static constexpr DType kTypes[] = {DType::f32, DType::f32, DType::f16, DType::bf16, DType::f64,
                                     DType::i64, DType::i32, DType::u8,  DType::i8,   DType::boolean};
  const DType to = kTypes[pick(10)];
  const ValueId x = any([&](ValueId v) { return is_floating(to) || facts(v).exact(); });
  if (x < 0) return;
  Facts f = facts(x);
  if (is_integer(to)) f.size = std::max(f.size, 255.0);
  if (to == DType::boolean) f.size = 1;
  if (is_floating(to) && !f.exact()) f.error += 2 * unit(to) * f.size;
  if (to == DType::f16 || to == DType::bf16) f.error += 2 * unit(to) * f.size;  // is it rounded, or never stored?
  push(Op::cast, {x}, to, shape(x), {}, f);
}

ValueId Grower::number(double v) {
  Tensor t(DType::f32, {});
  *t.as<float>() = static_cast<float>(v);
  const ValueId c = g().add_constant(fmt::format("c{}", count_++), t);
  facts(c) = {std::abs(v), 0};
  return c;
}

void Grower::quantize() {
  const ValueId x = any([&](ValueId v) { return dtype(v) == DType::f32 && facts(v).exact(); });
  if (x < 0) return;
  const ValueId scaled = node(Op::div, {x, number(0.037)}, {}, {1e6, 0});
  const ValueId whole = node(Op::round, {scaled}, {}, {1e6, 0});
  const ValueId moved_zero = node(Op::add, {whole, number(11)}, {}, {1e6, 0});
  const ValueId high = node(Op::min, {moved_zero, number(127)}, {}, {1e6, 0});
  const ValueId low = node(Op::max, {high, number(-128)}, {}, {128, 0});
  const ValueId q = push(Op::cast, {low}, DType::i8, shape(low), {}, {128, 0});
  const ValueId back = push(Op::cast, {q}, DType::f32, shape(q), {}, {128, 0});
  const ValueId centred = node(Op::sub, {back, number(11)}, {}, {139, 0});
  node(Op::mul, {centred, number(0.037)}, {}, {6, 0});
  for (ValueId v : {scaled, whole, moved_zero, high}) std::erase(pool_, v);
}

void Grower::expand() {
  const ValueId x = any([&](ValueId v) { return shape(v).size() <= 3; });
  if (x < 0) return;
  Shape t{n, m, 6};
  const Shape s = shape(x);
  for (std::size_t d = 0; d < s.size(); ++d) {
    Dim& to = t[3 - s.size() + d];
    if (!s[d].is(1)) to = s[d];
  }
  if (elements(t) > kMostElements) return;
  moved(Op::expand, {x}, t, {});
}

}  // namespace jitney::testing
