// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <functional>

#include "runtime/random_graph.h"
#include "runtime/support.h"

namespace jitney::testing {

using ir::Dim;
using ir::Op;
using ir::Shape;
using ir::ValueId;
using Axes = std::vector<std::int64_t>;

/// Half the distance between neighbouring numbers around 1.
inline double unit(DType t) {
  return t == DType::f16 ? 5e-4 : t == DType::bf16 ? 4e-3 : t == DType::f64 ? 1.2e-16 : t == DType::f32 ? 6e-8 : 0;
}

inline constexpr double kMostElements = 3e4;  // the interpreter is slow
inline constexpr double kLargest = 3e3;       // beyond this a value is squashed before it is used further

/// Grows one graph. Each step adds what it finds fitting inputs for, or nothing.
class Grower {
 public:
  explicit Grower(unsigned seed) : rng_(seed) {
    g().symbols["n"] = {};
    g().symbols["m"] = {};
    const Shape shapes[] = {{n, m, 6}, {n, m, 6}, {6}, {m, 1}, {n, 1, 6}, {}, {n, m}, {7, 1}, {n, 6, m}, {1, 0, 6}};
    // Mostly f32, so that values of one dtype meet.
    const DType dtypes[] = {DType::f32, DType::f32, DType::f32,  DType::f32, DType::f32, DType::i64,    DType::i32,
                            DType::f16, DType::f64, DType::bf16, DType::u8,  DType::i8,  DType::boolean};
    add_input(DType::f32, {n, m, 6});  // binds both symbols
    const int count = 1 + pick(4);
    for (int i = 0; i < count; ++i) add_input(dtypes[pick(13)], shapes[pick(10) == 9 ? 9 : pick(9)]);
  }

  RandomGraph grow(int steps) {
    for (int i = 0; i < steps; ++i) step();
    std::vector<ValueId>& outputs = g().outputs;
    const int count = 1 + pick(4);
    for (int i = 0; i < count; ++i) {
      const ValueId v = pool_[pool_.size() - 1 - at_most(std::min<std::size_t>(6, pool_.size()))];
      if (std::find(outputs.begin(), outputs.end(), v) == outputs.end()) outputs.push_back(v);
    }
    return std::move(random_);
  }

 private:
  const Dim n = Dim::symbol("n"), m = Dim::symbol("m");
  RandomGraph random_;
  std::mt19937 rng_;
  std::vector<ValueId> pool_;
  int count_ = 0;

  ir::Graph& g() { return random_.graph; }
  int pick(int below) { return static_cast<int>(rng_() % static_cast<unsigned>(below)); }
  std::size_t at_most(std::size_t below) { return rng_() % below; }
  bool chance(int one_in) { return pick(one_in) == 0; }
  DType dtype(ValueId v) { return g().value(v).dtype; }
  const Shape& shape(ValueId v) { return g().value(v).shape; }
  Facts& facts(ValueId v) { return random_.facts[v]; }
  static std::size_t index(std::int64_t i) { return static_cast<std::size_t>(i); }

  ValueId add_input(DType t, Shape s, std::int64_t low = -5, std::int64_t high = 9) {
    if (is_unsigned_integer(t)) low = 0;
    const ValueId v = g().add_value(fmt::format("x{}", count_++), t, std::move(s));
    g().inputs.push_back(v);
    facts(v) = {is_floating(t) ? 6.0 : static_cast<double>(std::max(-low, high)), 0, low, high};
    pool_.push_back(v);
    return v;
  }

  /// A value of the pool that `fits`, or none; later values are likelier.
  ValueId any(const std::function<bool(ValueId)>& fits) {
    for (int attempt = 0; attempt < 12; ++attempt) {
      const std::size_t from = chance(2) ? 0 : pool_.size() - std::min<std::size_t>(pool_.size(), 8);
      const ValueId v = pool_[from + at_most(pool_.size() - from)];
      if (fits(v)) return v;
    }
    return ir::kNoValue;
  }
  ValueId floating() {
    return any([&](ValueId v) { return is_floating(dtype(v)); });
  }
  ValueId ranked(std::size_t rank = 1) {
    return any([&](ValueId v) { return shape(v).size() >= rank; });
  }
  /// The same value, made small enough to go on with.
  ValueId tame(ValueId v) {
    if (!is_floating(dtype(v)) || facts(v).size <= kLargest) return v;
    return node(Op::tanh, {v}, {}, {1, facts(v).error + 8 * unit(dtype(v))});
  }

  ValueId push(Op op, std::vector<ValueId> in, DType t, Shape s, ir::Attributes a, Facts f) {
    if (!is_floating(t)) f.error = 0;
    const ValueId v =
        g().add_node(op, fmt::format("{}{}", info(op).name, count_++), std::move(in), t, std::move(s), std::move(a));
    facts(v) = f;
    pool_.push_back(v);
    return v;
  }
  /// A node whose type follows from its inputs; kNoValue where they do not fit without being asked at run time.
  ValueId node(Op op, std::vector<ValueId> in, ir::Attributes a, Facts f) {
    std::vector<const ir::Value*> values;
    values.reserve(in.size());
    for (ValueId v : in) values.push_back(&g().value(v));
    std::vector<ir::Guard> guards;
    const auto type = ir::infer(op, "new", values, a, guards);
    if (!type || !guards.empty() || elements(type->shape) > kMostElements) return ir::kNoValue;
    return push(op, std::move(in), type->dtype, type->shape, std::move(a), f);
  }
  /// Moved elements: nothing is computed.
  ValueId moved(Op op, std::vector<ValueId> in, Shape s, ir::Attributes a) {
    const Facts f = facts(in[0]);
    const DType t = dtype(in[0]);
    return push(op, std::move(in), t, std::move(s), std::move(a), f);
  }

  static double most(const Dim& d) {
    return static_cast<double>(value_or_throw(d.evaluate({{"n", kLargestN}, {"m", kLargestM}})));
  }
  static double elements(const Shape& s) { return most(ir::product(s)); }
  static double most(const Shape& s, const Axes& axes) {
    double count = 1;
    for (auto a : axes) count *= most(s[index(a)]);
    return count;
  }

  void step();
  void smooth();
  void with_jumps();
  ValueId partner(ValueId x);
  void arithmetic();
  void compare();
  void select();
  void normalize();
  Axes some_axes(std::size_t rank);
  void reduce();
  void scan();
  void arg();
  void permute();
  void reshape();
  void concat();
  void slice();
  void pad();
  void gather();
  void scatter();
  void cast();
  ValueId number(double v);
  void quantize();
  void matmul();
  void expand();
  void integers();
};

}  // namespace jitney::testing
