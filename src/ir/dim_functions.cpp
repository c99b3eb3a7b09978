// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "ir/checked.h"
#include "ir/dim.h"
#include "ir/dim_access.h"

/// floordiv, mod, min and max, simplified. Every rewrite is exact wherever the original is defined (no zero divisor).
namespace jitney::ir {
namespace {

using Term = Dim::Term;
using Factors = DimAccess::Factors;

Dim from_term(Term t) {
  std::vector<Term> one;
  one.push_back(std::move(t));
  return DimAccess::from_terms(std::move(one));
}

/// The largest monomial that divides every term of a and of b; its sign makes b's leading coefficient positive.
/// Nothing when its coefficient does not fit.
std::optional<Term> common_monomial(const Dim& a, const Dim& b) {
  std::uint64_t gcd = 0;
  Factors factors = b.terms().front().factors;
  for (const Dim* d : {&a, &b}) {
    for (const Term& t : d->terms()) {
      gcd = std::gcd(gcd, magnitude(t.coefficient));
      Factors kept;
      std::set_intersection(factors.begin(), factors.end(), t.factors.begin(), t.factors.end(),
                            std::back_inserter(kept),
                            [](const auto& x, const auto& y) { return DimAccess::compare(*x, *y) < 0; });
      factors = std::move(kept);
    }
  }
  if (gcd > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) return std::nullopt;
  const auto coefficient = static_cast<std::int64_t>(gcd);
  return Term{b.terms().front().coefficient < 0 ? -coefficient : coefficient, std::move(factors)};
}

/// a = whole * b + rest, for a divisor of one term with a positive coefficient. Coefficients of the rest are reduced,
/// so that equal quotients look equal.
struct Split {
  Dim whole, rest;
};
Split split(const Dim& a, const Term& b) {
  std::vector<Term> whole, rest;
  for (const Term& t : a.terms()) {
    auto factors = DimAccess::divide(t.factors, b.factors);
    if (!factors) {
      rest.push_back(t);
      continue;
    }
    whole.push_back({*floor_div(t.coefficient, b.coefficient), std::move(*factors)});
    rest.push_back({*floor_mod(t.coefficient, b.coefficient), t.factors});
  }
  return {DimAccess::from_terms(std::move(whole)), DimAccess::from_terms(std::move(rest))};
}

/// Index of the only term that is a call of f with a positive constant as second argument; -1 if none or several.
/// Terms with another coefficient than 1 do not count.
int only_call(const Dim& a, Dim::Func f) {
  int found = -1;
  for (std::size_t i = 0; i < a.terms().size(); ++i) {
    const Dim::Atom* atom = DimAccess::as_function(from_term(a.terms()[i]), f);
    if (atom == nullptr || atom->b.constant().value_or(0) <= 0) continue;
    if (found >= 0) return -1;
    found = static_cast<int>(i);
  }
  return found;
}

/// Only sums of products of things that cannot be negative. Symbols cannot.
bool is_non_negative(const Dim& d);

bool is_non_negative(const Dim::Atom& atom) {
  if (!atom.symbol.empty()) return true;
  switch (atom.func) {
    case Dim::Func::floordiv: return is_non_negative(atom.a) && is_non_negative(atom.b);
    case Dim::Func::mod: return is_non_negative(atom.b);
    case Dim::Func::min: return is_non_negative(atom.a) && is_non_negative(atom.b);
    case Dim::Func::max: return is_non_negative(atom.a) || is_non_negative(atom.b);
  }
  return false;
}

bool is_non_negative(const Dim& d) {
  return !DimAccess::overflowed(d) && std::all_of(d.terms().begin(), d.terms().end(), [](const Term& t) {
    return t.coefficient >= 0 &&
           std::all_of(t.factors.begin(), t.factors.end(), [](const auto& atom) { return is_non_negative(*atom); });
  });
}

void flatten(Dim::Func f, const Dim& d, std::vector<Dim>& into) {
  if (const Dim::Atom* atom = DimAccess::as_function(d, f)) {
    flatten(f, atom->a, into);
    flatten(f, atom->b, into);
  } else {
    into.push_back(d);
  }
}

/// min or max as a sorted chain of arguments none of which is known to bound another.
Dim extreme(Dim::Func f, const Dim& a, const Dim& b) {
  if (DimAccess::overflowed(a) || DimAccess::overflowed(b)) return DimAccess::overflow();
  const auto covers = [f](const Dim& x, const Dim& y) { return is_non_negative(f == Dim::Func::max ? x - y : y - x); };
  std::vector<Dim> arguments, kept;
  flatten(f, a, arguments);
  flatten(f, b, arguments);
  for (const Dim& x : arguments) {
    if (std::any_of(kept.begin(), kept.end(), [&](const Dim& k) { return covers(k, x); })) continue;
    std::erase_if(kept, [&](const Dim& k) { return covers(x, k); });
    kept.push_back(x);
  }
  std::sort(kept.begin(), kept.end(), [](const Dim& x, const Dim& y) { return Dim::compare(x, y) < 0; });
  Dim result = kept.back();
  for (std::size_t i = kept.size() - 1; i-- > 0;) result = DimAccess::from_function(f, kept[i], result);
  return result;
}

}  // namespace

Dim DimAccess::from_function(Dim::Func f, const Dim& a, const Dim& b) {
  if (overflowed(a) || overflowed(b)) return overflow();
  auto atom = std::make_shared<Dim::Atom>();
  atom->func = f;
  atom->a = a;
  atom->b = b;
  for (const Dim* d : {&a, &b}) {
    for (const Term& t : d->terms_) {
      for (const AtomPtr& inner : t.factors) {
        atom->size += inner->size;  // both arguments are at most kMaxSize
        atom->depth = std::max(atom->depth, inner->depth + 1);
      }
    }
  }
  if (atom->size > kMaxSize || atom->depth > kMaxDepth) return overflow();
  Dim d;
  d.terms_.push_back({1, {std::move(atom)}});
  return d;
}

Dim Dim::call(Func f, const Dim& a, const Dim& b) {
  switch (f) {
    case Func::floordiv: return floordiv(a, b);
    case Func::mod: return mod(a, b);
    case Func::min: return min(a, b);
    case Func::max: break;
  }
  return max(a, b);
}

Dim Dim::floordiv(const Dim& a, const Dim& b) {
  if (DimAccess::overflowed(a) || DimAccess::overflowed(b)) return DimAccess::overflow();
  if (b.terms_.empty()) return DimAccess::from_function(Func::floordiv, a, b);  // fails when evaluated
  if (auto exact = divide_exactly(a, b)) return *exact;
  if (a.is_constant() && b.is_constant()) {
    const auto quotient = floor_div(*a.constant(), *b.constant());
    return quotient ? Dim(*quotient) : DimAccess::overflow();
  }
  const auto common = common_monomial(a, b);
  if (!common) return DimAccess::from_function(Func::floordiv, a, b);
  if (common->coefficient != 1 || !common->factors.empty()) {  // floor(c x / (c y)) = floor(x / y)
    const auto x = divide_exactly(a, from_term(*common)), y = divide_exactly(b, from_term(*common));
    return x && y ? floordiv(*x, *y) : DimAccess::from_function(Func::floordiv, a, b);
  }
  if (b.terms_.size() != 1) return DimAccess::from_function(Func::floordiv, a, b);
  const auto [whole, rest] = split(a, b.terms_[0]);
  if (!(rest == a)) return whole + floordiv(rest, b);
  if (b.is_constant()) {  // floor((floor(x / j) + r) / k) = floor((x + j r) / (j k))
    if (const int i = only_call(a, Func::floordiv); i >= 0) {
      const Term& t = a.terms_[static_cast<std::size_t>(i)];
      const Dim x = t.factors[0]->a, j = t.factors[0]->b;
      const Dim numerator = x + j * (a - from_term(t)), divisor = j * b;
      if (!DimAccess::overflowed(numerator) && !DimAccess::overflowed(divisor)) return floordiv(numerator, divisor);
    }
  }
  return DimAccess::from_function(Func::floordiv, a, b);
}

Dim Dim::mod(const Dim& a, const Dim& b) {
  if (DimAccess::overflowed(a) || DimAccess::overflowed(b)) return DimAccess::overflow();
  if (b.terms_.empty()) return DimAccess::from_function(Func::mod, a, b);  // fails when evaluated
  if (divide_exactly(a, b) || b.is(-1)) return Dim();
  if (a.is_constant() && b.is_constant()) return *floor_mod(*a.constant(), *b.constant());
  const auto common = common_monomial(a, b);
  if (!common) return DimAccess::from_function(Func::mod, a, b);
  if (common->coefficient != 1 || !common->factors.empty()) {  // mod(c x, c y) = c mod(x, y)
    const auto x = divide_exactly(a, from_term(*common)), y = divide_exactly(b, from_term(*common));
    return x && y ? from_term(*common) * mod(*x, *y) : DimAccess::from_function(Func::mod, a, b);
  }
  if (b.terms_.size() != 1) return DimAccess::from_function(Func::mod, a, b);
  const auto [whole, rest] = split(a, b.terms_[0]);
  if (!(rest == a)) return mod(rest, b);
  if (b.is_constant()) {
    if (const int i = only_call(a, Func::mod); i >= 0) {  // mod(mod(x, j k) + r, k) = mod(x + r, k)
      const Term& t = a.terms_[static_cast<std::size_t>(i)];
      if (*t.factors[0]->b.constant() % *b.constant() == 0) return mod(t.factors[0]->a + (a - from_term(t)), b);
    }
  }
  return DimAccess::from_function(Func::mod, a, b);
}

Dim Dim::min(const Dim& a, const Dim& b) { return extreme(Func::min, a, b); }
Dim Dim::max(const Dim& a, const Dim& b) { return extreme(Func::max, a, b); }

}  // namespace jitney::ir
