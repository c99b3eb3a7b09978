// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "frontend/onnx/dim_bounds.h"

#include <algorithm>
#include <limits>

namespace jitney::onnx {
namespace {

using ir::Dim;

// The two ends of int64 stand for "nothing known" and absorb everything.
constexpr std::int64_t kLowest = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t kHighest = std::numeric_limits<std::int64_t>::max();
constexpr int kMaxDepth = 6;  // of nested functions looked into; deeper ones count as unknown

struct Range {
  std::int64_t low = kLowest;
  std::int64_t high = kHighest;
};

std::int64_t saturated(__int128 value) {
  return static_cast<std::int64_t>(std::clamp<__int128>(value, kLowest, kHighest));
}

std::int64_t add_bound(std::int64_t a, std::int64_t b, std::int64_t infinity) {
  if (a == infinity || b == infinity) return infinity;
  return saturated(static_cast<__int128>(a) + b);
}

Range multiply(Range a, Range b) {
  // An unknown end times 0 is 0: only a finite extent is ever behind it.
  const __int128 products[] = {static_cast<__int128>(a.low) * b.low, static_cast<__int128>(a.low) * b.high,
                               static_cast<__int128>(a.high) * b.low, static_cast<__int128>(a.high) * b.high};
  const auto [low, high] = std::minmax_element(std::begin(products), std::end(products));
  return {saturated(*low), saturated(*high)};
}

Range range_of(const Dim& dim, const Symbols& symbols, int depth);

Range range_of(const Dim::Atom& atom, const Symbols& symbols, int depth) {
  if (!atom.symbol.empty()) {
    const auto found = symbols.find(atom.symbol);
    if (atom.symbol == ".overflow") return {kLowest, kHighest};  // not an extent: ir/checked.h
    return found == symbols.end() ? Range{0, kHighest} : Range{found->second.min, found->second.max};
  }
  if (depth >= kMaxDepth) return {};
  const Range a = range_of(atom.a, symbols, depth + 1);
  const Range b = range_of(atom.b, symbols, depth + 1);
  switch (atom.func) {
    case Dim::Func::min: return {std::min(a.low, b.low), std::min(a.high, b.high)};
    case Dim::Func::max: return {std::max(a.low, b.low), std::max(a.high, b.high)};
    case Dim::Func::mod:
      return b.low >= 0 ? Range{0, b.high == kHighest ? kHighest : std::max<std::int64_t>(b.high - 1, 0)} : Range{};
    case Dim::Func::floordiv: return a.low >= 0 && b.low >= 0 ? Range{0, a.high} : Range{};
  }
  return {};
}

Range range_of(const Dim& dim, const Symbols& symbols, int depth) {
  Range sum{0, 0};
  for (const Dim::Term& term : dim.terms()) {
    Range product{term.coefficient, term.coefficient};
    for (const auto& factor : term.factors) product = multiply(product, range_of(*factor, symbols, depth));
    sum = {add_bound(sum.low, product.low, kLowest), add_bound(sum.high, product.high, kHighest)};
  }
  return sum;
}

std::int64_t lower_bound_at(const Dim& dim, const Symbols& symbols, int depth) {
  std::int64_t best = range_of(dim, symbols, 0).low;
  if (depth >= kMaxDepth) return best;
  // n - min(n, 4): intervals lose the connection, so replace -min(x, y) by the smaller -x or -y, and max(x, y)
  // likewise.
  for (const Dim::Term& term : dim.terms()) {
    if (term.factors.size() != 1 || !term.factors.front()->symbol.empty()) continue;
    const Dim::Atom& atom = *term.factors.front();
    const bool usable =
        (atom.func == Dim::Func::min && term.coefficient < 0) || (atom.func == Dim::Func::max && term.coefficient > 0);
    if (!usable) continue;
    const Dim whole =
        Dim(term.coefficient) * (atom.func == Dim::Func::min ? Dim::min(atom.a, atom.b) : Dim::max(atom.a, atom.b));
    for (const Dim& side : {atom.a, atom.b}) {
      best = std::max(best, lower_bound_at(dim - whole + Dim(term.coefficient) * side, symbols, depth + 1));
    }
    break;
  }
  return best;
}

}  // namespace

std::int64_t lower_bound(const Dim& dim, const Symbols& symbols) { return lower_bound_at(dim, symbols, 0); }

bool proves_at_least(const Dim& a, const Dim& b, const Symbols& symbols) {
  return a == b || lower_bound(a - b, symbols) >= 0;
}

std::optional<bool> decide_equal(const Dim& a, const Dim& b, const Symbols& symbols) {
  if (a == b) return true;
  if (lower_bound(a - b, symbols) > 0 || lower_bound(b - a, symbols) > 0) return false;
  return std::nullopt;
}

Dim min_of(const Dim& a, const Dim& b, const Symbols& symbols) {
  if (proves_at_least(b, a, symbols)) return a;
  if (proves_at_least(a, b, symbols)) return b;
  return Dim::min(a, b);
}

Dim max_of(const Dim& a, const Dim& b, const Symbols& symbols) {
  if (proves_at_least(a, b, symbols)) return a;
  if (proves_at_least(b, a, symbols)) return b;
  return Dim::max(a, b);
}

}  // namespace jitney::onnx
