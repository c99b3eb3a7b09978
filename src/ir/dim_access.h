// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "ir/dim.h"

namespace jitney::ir {

/// What the parts of Dim's implementation (dim*.cpp) share: building canonical expressions from terms and atoms.
struct DimAccess {
  using Term = Dim::Term;
  using AtomPtr = std::shared_ptr<const Dim::Atom>;
  using Factors = std::vector<AtomPtr>;

  // Far above what models need; they keep hostile ones from using up memory or stack.
  static constexpr std::size_t kMaxTerms = 256;
  static constexpr std::size_t kMaxDegree = 64;
  static constexpr std::int32_t kMaxSize = 4096;
  static constexpr std::int32_t kMaxDepth = 100;
  static constexpr std::string_view kOverflow = ".overflow";

  /// Sorts, adds up equal terms, drops zeros. Factors of each term must be sorted.
  static Dim from_terms(std::vector<Term> terms);
  /// f(a, b) as an atom, without simplification.
  static Dim from_function(Dim::Func f, const Dim& a, const Dim& b);
  static Dim overflow() { return Dim::symbol(std::string(kOverflow)); }
  static bool overflowed(const Dim& a) {
    return a.terms_.size() == 1 && a.terms_[0].factors.size() == 1 && a.terms_[0].factors[0]->symbol == kOverflow;
  }
  /// The function if the whole expression is one call of it.
  static const Dim::Atom* as_function(const Dim& a, Dim::Func f) {
    if (a.terms_.size() != 1 || a.terms_[0].coefficient != 1 || a.terms_[0].factors.size() != 1) return nullptr;
    const Dim::Atom* atom = a.terms_[0].factors[0].get();
    return atom->symbol.empty() && atom->func == f ? atom : nullptr;
  }
  static Dim call(Dim::Func f, const Dim& a, const Dim& b) { return Dim::call(f, a, b); }

  static int compare(const Dim::Atom& a, const Dim::Atom& b);
  /// Graded lexicographic, the higher degree first: an order that multiplication keeps, which division needs.
  static int compare(const Factors& a, const Factors& b);
  /// The sorted product.
  static Factors multiply(const Factors& a, const Factors& b);
  /// a / b if b's factors are among a's.
  static std::optional<Factors> divide(const Factors& a, const Factors& b);
};

std::string_view to_string(Dim::Func f);

}  // namespace jitney::ir
