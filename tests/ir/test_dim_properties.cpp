// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include "ir/checked.h"
#include "ir/dim.h"

namespace jitney::ir {
namespace {

/// A random expression together with what it means, computed without Dim.
struct Sample {
  Dim dim;
  std::optional<std::int64_t> value;  ///< nothing where a part is undefined
};

const std::vector<std::string> kNames = {"a", "b", "c"};

std::optional<std::int64_t> apply(int op, std::int64_t x, std::int64_t y) {
  switch (op) {
    case 0: return checked_add(x, y);
    case 1: return y == INT64_MIN ? std::nullopt : checked_add(x, -y);
    case 2: return checked_mul(x, y);
    case 3: return floor_div(x, y);
    case 4: return floor_mod(x, y);
    case 5: return std::min(x, y);
    default: return std::max(x, y);
  }
}

Dim apply(int op, const Dim& x, const Dim& y) {
  switch (op) {
    case 0: return x + y;
    case 1: return x - y;
    case 2: return x * y;
    case 3: return Dim::floordiv(x, y);
    case 4: return Dim::mod(x, y);
    case 5: return Dim::min(x, y);
    default: return Dim::max(x, y);
  }
}

Sample sample(const SymbolValues& values, int depth) {
  const int kind = *rc::gen::inRange(0, depth > 0 ? 9 : 2);
  if (kind == 0) {
    const auto v = *rc::gen::inRange<std::int64_t>(-6, 7);
    return {v, v};
  }
  if (kind == 1) {
    const auto& name = *rc::gen::elementOf(kNames);
    return {Dim::symbol(name), values.at(name)};
  }
  const Sample x = sample(values, depth - 1), y = sample(values, depth - 1);
  std::optional<std::int64_t> v;
  if (x.value && y.value) v = apply(kind - 2, *x.value, *y.value);
  return {apply(kind - 2, x.dim, y.dim), v};
}

SymbolValues values() {
  SymbolValues v;
  for (const auto& name : kNames) v[name] = *rc::gen::inRange<std::int64_t>(0, 12);
  return v;
}

RC_GTEST_PROP(DimProperty, SimplifyingKeepsTheValue, ()) {
  const SymbolValues v = values();
  const Sample s = sample(v, 4);
  RC_PRE(s.value.has_value());
  const auto got = s.dim.evaluate(v);
  if (!got) RC_FAIL(s.dim.to_string() + ": " + got.error().message);
  RC_ASSERT(*got == *s.value);
}

RC_GTEST_PROP(DimProperty, PrintsAndParses, ()) {
  const Dim d = sample(values(), 5).dim;
  const auto parsed = Dim::parse(d.to_string());
  RC_ASSERT(parsed.has_value());
  RC_ASSERT(*parsed == d);
  RC_ASSERT(parsed->to_string() == d.to_string());
}

RC_GTEST_PROP(DimProperty, SumsAndProductsAreARing, ()) {
  const SymbolValues v = values();
  const Dim a = sample(v, 2).dim, b = sample(v, 2).dim, c = sample(v, 2).dim;
  RC_ASSERT(a + b == b + a);
  RC_ASSERT((a + b) + c == a + (b + c));
  RC_ASSERT(a * b == b * a);
  RC_ASSERT((a * b) * c == a * (b * c));
  RC_ASSERT(a * (b + c) == a * b + a * c);
  RC_ASSERT(a - a == Dim(0));
  RC_ASSERT(a + Dim(0) == a);
}

RC_GTEST_PROP(DimProperty, MinAndMaxAreASemilattice, ()) {
  const SymbolValues v = values();
  const Dim a = sample(v, 2).dim, b = sample(v, 2).dim, c = sample(v, 2).dim;
  RC_ASSERT(Dim::min(a, b) == Dim::min(b, a));
  RC_ASSERT(Dim::min(Dim::min(a, b), c) == Dim::min(a, Dim::min(b, c)));
  RC_ASSERT(Dim::max(Dim::max(a, b), c) == Dim::max(a, Dim::max(b, c)));
  RC_ASSERT(Dim::max(a, a) == a);
}

RC_GTEST_PROP(DimProperty, DivisionUndoesMultiplication, ()) {
  const SymbolValues v = values();
  const Dim a = sample(v, 3).dim, b = sample(v, 3).dim;
  RC_PRE(!b.is(0));
  const auto q = Dim::divide_exactly(a * b, b);
  RC_ASSERT(q.has_value());
  RC_ASSERT(*q == a);
  RC_ASSERT(Dim::floordiv(a * b, b) == a);
  RC_ASSERT(Dim::mod(a * b, b) == Dim(0));
}

RC_GTEST_PROP(DimProperty, WholeMultiplesLeaveFloordiv, ()) {
  const SymbolValues v = values();
  const Dim a = sample(v, 2).dim, b = sample(v, 2).dim;
  const auto k = *rc::gen::inRange<std::int64_t>(1, 9);
  RC_ASSERT(Dim::floordiv(a * Dim(k) + b, k) == a + Dim::floordiv(b, k));
  RC_ASSERT(Dim::mod(a * Dim(k) + b, k) == Dim::mod(b, k));
}

RC_GTEST_PROP(DimProperty, SubstitutionCommutesWithEvaluation, ()) {
  const SymbolValues v = values();
  const Sample s = sample(v, 3);
  RC_PRE(s.value.has_value());
  std::map<std::string, Dim> constants;
  for (const auto& [name, value] : v) constants[name] = value;
  RC_ASSERT(s.dim.substitute(constants).is(*s.value));
}

RC_GTEST_PROP(DimProperty, OrderIsTotal, ()) {
  const SymbolValues v = values();
  const Dim a = sample(v, 3).dim, b = sample(v, 3).dim, c = sample(v, 3).dim;
  RC_ASSERT(Dim::compare(a, b) == -Dim::compare(b, a) || (Dim::compare(a, b) < 0) == (Dim::compare(b, a) > 0));
  if (Dim::compare(a, b) <= 0 && Dim::compare(b, c) <= 0) RC_ASSERT(Dim::compare(a, c) <= 0);
}

RC_GTEST_PROP(DimProperty, AnyTextIsParsedOrRefused, (const std::string& text)) {
  const auto d = Dim::parse(text);
  if (d) RC_ASSERT(*Dim::parse(d->to_string()) == *d);
}

}  // namespace
}  // namespace jitney::ir
