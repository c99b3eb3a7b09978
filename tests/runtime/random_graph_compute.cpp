// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
// What random graphs compute: elementwise operators, reductions, normalizations, products.
#include "runtime/random_grower.h"

namespace jitney::testing {

void Grower::step() {
  switch (pick(26)) {
    case 0:
    case 1: return smooth();
    case 2: return with_jumps();
    case 3:
    case 4:
    case 5: return arithmetic();
    case 6: return compare();
    case 7: return select();
    case 8:
    case 9: return normalize();
    case 10:
    case 11: return reduce();
    case 12: return scan();
    case 13: return arg();
    case 14: return permute();
    case 15: return reshape();
    case 16: return concat();
    case 17: return slice();
    case 18: return pad();
    case 19: return gather();
    case 20: return scatter();
    case 21: return cast();
    case 22: return quantize();
    case 23: return matmul();
    case 24: return expand();
    default: return integers();
  }
}

void Grower::smooth() {
  struct Function {
    Op op;
    double slope, size;  // size 0: that of its argument
  };
  static constexpr Function kFunctions[] = {{Op::tanh, 1, 1},         {Op::sigmoid, 0.25, 1}, {Op::erf, 1.2, 1},
                                            {Op::sin, 1, 1},          {Op::cos, 1, 1},        {Op::gelu_erf, 1.2, 0},
                                            {Op::gelu_tanh, 1.2, 0},  {Op::silu, 1.2, 0},     {Op::softplus, 1, 0},
                                            {Op::hard_swish, 1.6, 0}, {Op::atan, 1, 1.6}};
  const ValueId x = floating();
  if (x < 0) return;
  const Function& f = kFunctions[pick(11)];
  const double size = f.size > 0 ? f.size : facts(x).size + 1;
  node(f.op, {x}, {}, {size, f.slope * facts(x).error + 16 * unit(dtype(x)) * std::max(1.0, size)});
}

void Grower::with_jumps() {
  static constexpr Op kOps[] = {Op::floor, Op::ceil, Op::round, Op::sign, Op::neg, Op::abs, Op::relu, Op::is_nan};
  const Op op = kOps[pick(8)];
  const bool jumps = op == Op::floor || op == Op::ceil || op == Op::round || op == Op::sign;
  const ValueId x = any([&](ValueId v) {
    return dtype(v) != DType::boolean && (!jumps || facts(v).exact()) &&
           (is_floating(dtype(v)) || (op != Op::is_nan && !is_unsigned_integer(dtype(v))));
  });
  if (x < 0) return;
  Facts f = facts(x);
  f.size += 1;
  node(op, {x}, {}, f);
}

ValueId Grower::partner(ValueId x) {
  return any([&](ValueId v) { return dtype(v) == dtype(x); });
}

void Grower::arithmetic() {
  const ValueId x = any([&](ValueId v) { return dtype(v) != DType::boolean; });
  const ValueId y = x < 0 ? x : partner(x);
  if (y < 0) return;
  static constexpr Op kOps[] = {Op::add, Op::sub, Op::mul, Op::min, Op::max, Op::div, Op::pow};
  Op op = kOps[pick(7)];
  const DType t = dtype(x);
  const Facts a = facts(x), b = facts(y);
  Facts f{a.size + b.size, a.error + b.error};
  if (op == Op::mul || op == Op::pow) {
    op = Op::mul;
    f = {a.size * b.size, a.error * b.size + b.error * a.size + a.error * b.error};
  }
  if (op == Op::min || op == Op::max) f = {std::max(a.size, b.size), std::max(a.error, b.error)};
  if (op == Op::div) {
    // By something that stays away from zero, where results are not the same bits.
    if (is_floating(t) && !(a.exact() && b.exact())) return;
    f = {1e30, 0};
  }
  const bool selects = op == Op::min || op == Op::max;
  // f16 and bf16 are rounded after each operator, or after several.
  if (!selects && (!f.exact() || unit(t) > 1e-7)) f.error += 2 * unit(t) * f.size;
  const ValueId v = node(op, {x, y}, {}, f);
  if (v >= 0) tame(v);
}

void Grower::compare() {
  const ValueId x = any([&](ValueId v) { return facts(v).exact(); });
  const ValueId y = x < 0 ? x : any([&](ValueId v) { return dtype(v) == dtype(x) && facts(v).exact(); });
  if (y < 0) return;
  static constexpr Op kOps[] = {Op::less, Op::less_equal, Op::equal, Op::not_equal};
  const Op op = dtype(x) == DType::boolean ? kOps[2 + pick(2)] : kOps[pick(4)];
  const ValueId v = node(op, {x, y}, {}, {1, 0});
  if (v >= 0 && chance(2)) node(Op::logical_not, {v}, {}, {1, 0});
}

void Grower::select() {
  const ValueId c = any([&](ValueId v) { return dtype(v) == DType::boolean; });
  const ValueId x = c < 0 ? c : any([](ValueId) { return true; });
  const ValueId y = x < 0 ? x : partner(x);
  if (y < 0) return;
  node(Op::where, {c, x, y}, {}, {std::max(facts(x).size, facts(y).size), std::max(facts(x).error, facts(y).error)});
}

void Grower::normalize() {
  const ValueId x = any([&](ValueId v) { return is_floating(dtype(v)) && !shape(v).empty(); });
  if (x < 0) return;
  const Facts f = facts(x);
  const double u = unit(dtype(x));
  const std::int64_t axis = pick(static_cast<int>(shape(x).size()));
  if (chance(2)) {
    node(Op::softmax, {x}, {{"axis", axis}}, {1, 2 * f.error + u * (20 + 2 * f.size)});
  } else if (chance(4)) {
    node(Op::log_softmax, {x}, {{"axis", axis}}, {2 * f.size + 10, 2 * f.error + 8 * u * (f.size + 10)});
  } else {
    node(Op::layer_norm, {x}, {{"axis", axis}, {"epsilon", 0.1}}, {80, 60 * (f.error + u * f.size) + 80 * u});
  }
}

Axes Grower::some_axes(std::size_t rank) {
  Axes axes;
  for (std::size_t a = 0; a < rank; ++a)
    if (chance(2)) axes.push_back(static_cast<std::int64_t>(a));
  if (axes.empty()) axes.push_back(static_cast<std::int64_t>(at_most(rank)));
  return axes;
}

void Grower::reduce() {
  const ValueId x = any([&](ValueId v) { return !shape(v).empty() && dtype(v) != DType::boolean; });
  if (x < 0) return;
  const Axes axes = some_axes(shape(x).size());
  static constexpr Op kOps[] = {Op::reduce_max, Op::reduce_min, Op::reduce_mean, Op::reduce_sum, Op::reduce_prod};
  const Op op = kOps[pick(5)];
  const Facts f = facts(x);
  const double count = most(shape(x), axes), u = unit(dtype(x));
  Facts result = f;
  if (op == Op::reduce_mean) {
    if (!is_floating(dtype(x))) return;
    result.error += 32 * u * f.size;
  }
  if (op == Op::reduce_sum) {
    // Twice: an interpreter may round sums of f16 as it goes.
    result = {f.size * count, count * (f.error + 2 * u * f.size) + (unit(dtype(x)) > 1e-7 ? u * f.size * count : 0)};
  }
  if (op == Op::reduce_prod) {
    if (is_floating(dtype(x)) && (f.size > 1.1 || count > 8)) return;
    result = {2.2, count * (f.error + u) * 2.2};
  }
  const ValueId v = node(op, {x}, {{"axes", axes}, {"keepdims", std::int64_t{pick(3) > 0}}}, result);
  if (v >= 0) tame(v);
}

void Grower::scan() {
  const ValueId x = any([&](ValueId v) { return !shape(v).empty() && dtype(v) != DType::boolean; });
  if (x < 0) return;
  const std::int64_t axis = pick(static_cast<int>(shape(x).size()));
  const double count = most(shape(x), {axis}), u = unit(dtype(x));
  const Facts f = facts(x);
  const ValueId v = node(Op::cumsum, {x}, {{"axis", axis}, {"exclusive", std::int64_t{pick(2)}}},
                         {f.size * count, count * (f.error + 3 * u * f.size)});
  if (v >= 0) tame(v);
}

void Grower::arg() {
  const ValueId x = any([&](ValueId v) {
    return !shape(v).empty() && shape(v).back().is(6) && facts(v).exact() && dtype(v) != DType::boolean;
  });
  if (x < 0) return;
  const auto rank = static_cast<std::int64_t>(shape(x).size());
  if (chance(3)) {
    Shape s = shape(x);
    s.back() = 1 + pick(6);
    push(Op::top_k, {x}, DType::i64, s, {{"axis", rank - 1}, {"largest", std::int64_t{pick(2)}}}, {6, 0});
    return;
  }
  node(chance(2) ? Op::arg_max : Op::arg_min, {x},
       {{"axes", Axes{rank - 1}}, {"keepdims", std::int64_t{pick(2)}}, {"last", std::int64_t{pick(2)}}}, {6, 0});
}

void Grower::matmul() {
  const ValueId x =
      any([&](ValueId v) { return shape(v).size() >= 2 && is_floating(dtype(v)) && facts(v).size <= 100; });
  if (x < 0) return;
  Axes perm(shape(x).size());
  for (std::size_t i = 0; i < perm.size(); ++i) perm[i] = static_cast<std::int64_t>(i);
  std::swap(perm[perm.size() - 1], perm[perm.size() - 2]);
  const ValueId other = any([&](ValueId v) {
    return dtype(v) == dtype(x) && shape(v).size() >= 2 && facts(v).size <= 100 && shape(v).back() == shape(x).back();
  });
  const ValueId y = other < 0 ? x : other;
  if (shape(y).size() != perm.size()) return;
  if (elements(shape(x)) * most(shape(y)[perm.size() - 2]) > 20 * kMostElements) return;
  Shape t;
  for (auto a : perm) t.push_back(shape(y)[index(a)]);
  const ValueId turned = moved(Op::permute, {y}, t, {{"perm", perm}});
  const Facts a = facts(x), b = facts(turned);
  const double count = most(shape(x), {static_cast<std::int64_t>(perm.size()) - 1}), u = unit(dtype(x));
  const Facts f{count * a.size * b.size, count * (a.error * b.size + b.error * a.size + 4 * u * a.size * b.size)};
  const ValueId v = node(Op::matmul, {x, turned}, {}, f);
  if (v >= 0) tame(v);
}

void Grower::integers() {
  const ValueId x = any([&](ValueId v) { return is_integer(dtype(v)) || dtype(v) == DType::boolean; });
  const ValueId y = x < 0 ? x : partner(x);
  if (y < 0) return;
  if (dtype(x) == DType::boolean) {
    static constexpr Op kOps[] = {Op::logical_and, Op::logical_or, Op::logical_xor};
    node(kOps[pick(3)], {x, y}, {}, {1, 0});
    return;
  }
  static constexpr Op kOps[] = {Op::mod, Op::fmod, Op::bitwise_and, Op::bitwise_or, Op::bitwise_xor, Op::div};
  node(kOps[pick(6)], {x, y}, {}, {facts(x).size + facts(y).size, 0});
}

}  // namespace jitney::testing
