// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "util/expected.h"

namespace jitney::ir {

/// Values of symbols at bind time.
using SymbolValues = std::map<std::string, std::int64_t>;

/// A tensor extent: a canonical integer expression over named symbols, all of which are >= 0.
///
/// Canonical means a polynomial: a sum of terms, each an integer coefficient times a sorted product of
/// atoms; an atom is a symbol or floordiv, mod, min, max of two expressions. Two Dims that are
/// algebraically equal as polynomials compare equal, so "is this the same extent" is ==. Inequality of
/// Dims is no proof that the extents differ: only constants differ for certain.
///
/// Grammar of to_string and parse:
///   expr := ["-"] term (("+" | "-") term)*      term := factor ("*" factor)*
///   factor := INT | NAME | FUNC "(" expr "," expr ")" | "(" expr ")"
///   FUNC := "floordiv" | "mod" | "min" | "max"     NAME := [A-Za-z_.][A-Za-z0-9_.:]*
/// Coefficients are checked 64-bit integers. An expression whose coefficients overflow, or that grows past sane
/// bounds, becomes the symbol ".overflow", which swallows whatever it meets and fails on evaluate().
/// Immutable and cheap to copy; safe to share between threads.
class Dim {
 public:
  enum class Func : std::uint8_t { floordiv, mod, min, max };
  struct Atom;  ///< a symbol or a function of two Dims
  struct Term {
    std::int64_t coefficient = 0;
    std::vector<std::shared_ptr<const Atom>> factors;  ///< sorted; empty for the constant term
  };

  Dim() = default;          ///< zero
  Dim(std::int64_t value);  // NOLINT(google-explicit-constructor): constants are Dims everywhere
  static Dim symbol(std::string name);
  static Expected<Dim> parse(std::string_view text);

  std::optional<std::int64_t> constant() const;
  bool is_constant() const { return constant().has_value(); }
  /// True for this constant exactly.
  bool is(std::int64_t value) const { return constant() == value; }
  /// The symbol's name if the whole expression is one symbol.
  std::optional<std::string> symbol_name() const;
  void collect_symbols(std::set<std::string>& into) const;

  std::string to_string() const;
  /// Fails (user) for a symbol without a value, a division by zero and on overflow.
  Expected<std::int64_t> evaluate(const SymbolValues& values) const;
  Dim substitute(const std::map<std::string, Dim>& replacements) const;

  const std::vector<Term>& terms() const { return terms_; }

  friend Dim operator+(const Dim& a, const Dim& b);
  friend Dim operator-(const Dim& a, const Dim& b);
  friend Dim operator*(const Dim& a, const Dim& b);
  /// Rounds towards minus infinity; exact polynomial division is simplified ((4*n*m)/(2*n) is 2*m).
  static Dim floordiv(const Dim& a, const Dim& b);
  static Dim ceildiv(const Dim& a, const Dim& b) { return floordiv(a + b - Dim(1), b); }
  static Dim mod(const Dim& a, const Dim& b);  ///< sign of the divisor
  static Dim min(const Dim& a, const Dim& b);
  static Dim max(const Dim& a, const Dim& b);
  /// a / b where b divides a as polynomials, else nothing.
  static std::optional<Dim> divide_exactly(const Dim& a, const Dim& b);
  friend bool operator==(const Dim& a, const Dim& b);
  /// An arbitrary total order, for canonical forms and maps.
  static int compare(const Dim& a, const Dim& b);

 private:
  std::vector<Term> terms_;  // sorted by factors, no zero coefficients; empty is 0
  static Dim call(Func f, const Dim& a, const Dim& b);
  friend struct DimAccess;
};

struct Dim::Atom {
  std::string symbol;  ///< empty for a function
  Func func = Func::floordiv;
  Dim a, b;
  std::int32_t size = 1;   ///< atoms in the whole expression tree; bounded, so that no walk explodes
  std::int32_t depth = 1;  ///< nesting; bounded, so that recursion is safe on a small stack
};

using Shape = std::vector<Dim>;

Dim product(const Shape& shape);
std::string to_string(const Shape& shape);  ///< "[batch, 3, 2*h]"
Expected<std::vector<std::int64_t>> evaluate(const Shape& shape, const SymbolValues& values);

}  // namespace jitney::ir
