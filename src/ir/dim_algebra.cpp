// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "ir/checked.h"
#include "ir/dim.h"
#include "ir/dim_access.h"

namespace jitney::ir {

using Term = Dim::Term;
using Factors = DimAccess::Factors;

int DimAccess::compare(const Dim::Atom& a, const Dim::Atom& b) {
  if (&a == &b) return 0;
  if (a.symbol.empty() != b.symbol.empty()) return a.symbol.empty() ? 1 : -1;  // symbols first
  if (!a.symbol.empty()) return a.symbol.compare(b.symbol);
  if (a.func != b.func) return a.func < b.func ? -1 : 1;
  if (const int c = Dim::compare(a.a, b.a); c != 0) return c;
  return Dim::compare(a.b, b.b);
}

int DimAccess::compare(const Factors& a, const Factors& b) {
  if (a.size() != b.size()) return a.size() > b.size() ? -1 : 1;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (const int c = compare(*a[i], *b[i]); c != 0) return c;
  }
  return 0;
}

Factors DimAccess::multiply(const Factors& a, const Factors& b) {
  Factors product;
  product.reserve(a.size() + b.size());
  std::merge(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(product),
             [](const AtomPtr& x, const AtomPtr& y) { return compare(*x, *y) < 0; });
  return product;
}

std::optional<Factors> DimAccess::divide(const Factors& a, const Factors& b) {
  Factors quotient;
  std::size_t next = 0;  // in b
  for (const AtomPtr& atom : a) {
    if (next < b.size() && compare(*atom, *b[next]) == 0) {
      ++next;
    } else {
      quotient.push_back(atom);
    }
  }
  if (next != b.size()) return std::nullopt;
  return quotient;
}

Dim DimAccess::from_terms(std::vector<Term> terms) {
  std::sort(terms.begin(), terms.end(), [](const Term& x, const Term& y) { return compare(x.factors, y.factors) < 0; });
  Dim d;
  for (Term& t : terms) {
    if (!d.terms_.empty() && compare(d.terms_.back().factors, t.factors) == 0) {
      const auto sum = checked_add(d.terms_.back().coefficient, t.coefficient);
      if (!sum) return overflow();
      d.terms_.back().coefficient = *sum;
    } else {
      if (!d.terms_.empty() && d.terms_.back().coefficient == 0) d.terms_.pop_back();
      d.terms_.push_back(std::move(t));
    }
  }
  if (!d.terms_.empty() && d.terms_.back().coefficient == 0) d.terms_.pop_back();
  std::int64_t size = 0;
  for (const Term& t : d.terms_) {
    if (t.factors.size() > kMaxDegree) return overflow();
    for (const AtomPtr& atom : t.factors) size += atom->size;
  }
  if (d.terms_.size() > kMaxTerms || size > kMaxSize) return overflow();
  return d;
}

Dim operator+(const Dim& a, const Dim& b) {
  if (a.terms_.empty()) return b;
  if (b.terms_.empty()) return a;
  if (DimAccess::overflowed(a) || DimAccess::overflowed(b)) return DimAccess::overflow();
  std::vector<Term> terms = a.terms_;
  terms.insert(terms.end(), b.terms_.begin(), b.terms_.end());
  return DimAccess::from_terms(std::move(terms));
}

Dim operator-(const Dim& a, const Dim& b) {
  if (b.terms_.empty()) return a;
  if (DimAccess::overflowed(a) || DimAccess::overflowed(b)) return DimAccess::overflow();
  // Equal first: the negation of the lowest integer does not exist, the difference does.
  if (a == b) return Dim();
  return a + b * Dim(-1);
}

Dim operator*(const Dim& a, const Dim& b) {
  if (a.is(1)) return b;
  if (b.is(1)) return a;
  if (DimAccess::overflowed(a) || DimAccess::overflowed(b)) return DimAccess::overflow();
  if (a.terms_.size() * b.terms_.size() > 16 * DimAccess::kMaxTerms) return DimAccess::overflow();
  std::vector<Term> terms;
  terms.reserve(a.terms_.size() * b.terms_.size());
  for (const Term& x : a.terms_) {
    for (const Term& y : b.terms_) {
      const auto coefficient = checked_mul(x.coefficient, y.coefficient);
      if (!coefficient) return DimAccess::overflow();
      terms.push_back({*coefficient, DimAccess::multiply(x.factors, y.factors)});
    }
  }
  return DimAccess::from_terms(std::move(terms));
}

std::optional<Dim> Dim::divide_exactly(const Dim& a, const Dim& b) {
  if (b.terms_.empty() || DimAccess::overflowed(a) || DimAccess::overflowed(b)) return std::nullopt;
  // Long division by leading terms; if b divides a, each step's leading term is divisible.
  const Term& lead = b.terms_.front();
  Dim rest = a;
  std::vector<Term> quotient;
  while (!rest.terms_.empty()) {
    const Term& top = rest.terms_.front();
    auto factors = DimAccess::divide(top.factors, lead.factors);
    const auto coefficient = floor_div(top.coefficient, lead.coefficient);
    if (!factors || !coefficient || *floor_mod(top.coefficient, lead.coefficient) != 0) return std::nullopt;
    if (quotient.size() == DimAccess::kMaxTerms) return std::nullopt;
    quotient.push_back({*coefficient, std::move(*factors)});
    Dim step;
    step.terms_.push_back(quotient.back());
    rest = rest - step * b;
    if (DimAccess::overflowed(rest)) return std::nullopt;
  }
  return DimAccess::from_terms(std::move(quotient));
}

bool operator==(const Dim& a, const Dim& b) { return Dim::compare(a, b) == 0; }

int Dim::compare(const Dim& a, const Dim& b) {
  if (&a == &b) return 0;
  const std::size_t common = std::min(a.terms_.size(), b.terms_.size());
  for (std::size_t i = 0; i < common; ++i) {
    if (const int c = DimAccess::compare(a.terms_[i].factors, b.terms_[i].factors); c != 0) return c;
    if (a.terms_[i].coefficient != b.terms_[i].coefficient) {
      return a.terms_[i].coefficient < b.terms_[i].coefficient ? -1 : 1;
    }
  }
  if (a.terms_.size() == b.terms_.size()) return 0;
  return a.terms_.size() < b.terms_.size() ? -1 : 1;
}

}  // namespace jitney::ir
