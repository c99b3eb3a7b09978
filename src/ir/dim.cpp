// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "ir/dim.h"

#include <fmt/format.h>

#include "ir/checked.h"
#include "ir/dim_access.h"

namespace jitney::ir {

Dim::Dim(std::int64_t value) {
  if (value != 0) terms_.push_back({value, {}});
}

Dim Dim::symbol(std::string name) {
  auto atom = std::make_shared<Atom>();
  atom->symbol = std::move(name);
  Dim d;
  d.terms_.push_back({1, {std::move(atom)}});
  return d;
}

std::optional<std::int64_t> Dim::constant() const {
  if (terms_.empty()) return 0;
  if (terms_.size() == 1 && terms_[0].factors.empty()) return terms_[0].coefficient;
  return std::nullopt;
}

std::optional<std::string> Dim::symbol_name() const {
  if (terms_.size() != 1 || terms_[0].coefficient != 1 || terms_[0].factors.size() != 1) return std::nullopt;
  const Atom& atom = *terms_[0].factors[0];
  if (atom.symbol.empty() || atom.symbol == DimAccess::kOverflow) return std::nullopt;
  return atom.symbol;
}

void Dim::collect_symbols(std::set<std::string>& into) const {
  for (const Term& t : terms_) {
    for (const auto& atom : t.factors) {
      if (atom->symbol.empty()) {
        atom->a.collect_symbols(into);
        atom->b.collect_symbols(into);
      } else if (atom->symbol != DimAccess::kOverflow) {
        into.insert(atom->symbol);
      }
    }
  }
}

Dim Dim::substitute(const std::map<std::string, Dim>& replacements) const {
  Dim sum;
  for (const Term& t : terms_) {
    Dim product(t.coefficient);
    for (const auto& atom : t.factors) {
      if (atom->symbol.empty()) {
        product = product * call(atom->func, atom->a.substitute(replacements), atom->b.substitute(replacements));
      } else if (auto found = replacements.find(atom->symbol); found != replacements.end()) {
        product = product * found->second;
      } else {
        product = product * symbol(atom->symbol);
      }
    }
    sum = sum + product;
  }
  return sum;
}

std::string_view to_string(Dim::Func f) {
  switch (f) {
    case Dim::Func::floordiv: return "floordiv";
    case Dim::Func::mod: return "mod";
    case Dim::Func::min: return "min";
    case Dim::Func::max: break;
  }
  return "max";
}

std::string Dim::to_string() const {
  if (terms_.empty()) return "0";
  std::string out;
  for (const Term& t : terms_) {
    const bool negative = t.coefficient < 0;
    if (out.empty()) {
      if (negative) out += "-";
    } else {
      out += negative ? " - " : " + ";
    }
    const std::uint64_t size = magnitude(t.coefficient);
    if (size != 1 || t.factors.empty()) out += fmt::format("{}{}", size, t.factors.empty() ? "" : "*");
    bool first = true;
    for (const auto& atom : t.factors) {
      if (!first) out += "*";
      first = false;
      if (atom->symbol.empty()) {
        out += fmt::format("{}({}, {})", ir::to_string(atom->func), atom->a.to_string(), atom->b.to_string());
      } else {
        out += atom->symbol;
      }
    }
  }
  return out;
}

Dim product(const Shape& shape) {
  Dim p(1);
  for (const Dim& d : shape) p = p * d;
  return p;
}

std::string to_string(const Shape& shape) {
  std::string out = "[";
  for (std::size_t i = 0; i < shape.size(); ++i) out += (i == 0 ? "" : ", ") + shape[i].to_string();
  return out + "]";
}

}  // namespace jitney::ir
