// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "compiler/emit.h"
#include "kernel/kernel.h"
#include "kernel/schedule.h"

namespace jitney::compiler {

using ir::Dim;
using kernel::Access;
using kernel::Affine;
using kernel::Bound;
using kernel::Expr;
using kernel::ExprId;
using kernel::Kernel;
using kernel::Reduction;

/// Writes the expressions, loads and stores of a kernel as C statements into the current scope. Which loops stand
/// around them is emit_c.cpp's business.
class CExprWriter {
 protected:
  CExprWriter(const Kernel& k, const kernel::Schedule& schedule, const EmitOptions& options, bool fold)
      : k_(k),
        options_(options),
        schedule_(schedule),
        fold_(fold),
        vector_(static_cast<std::size_t>(schedule_.vector_axis)),
        horizontal_(schedule_.horizontal()) {}

  const Kernel& k_;
  const EmitOptions& options_;
  const kernel::Schedule& schedule_;
  const bool fold_;  ///< constants go into the code
  const std::size_t vector_;
  const bool horizontal_;
  EmittedKernel out_;
  std::string body_;
  int depth_ = 1;
  std::vector<std::map<ExprId, std::string>> scopes_;
  std::map<const Access*, std::string> pointers_;            // row pointers
  std::map<const Access*, std::vector<std::string>> steps_;  // numbers of the access' coefficients, "" where not needed
  std::map<const Bound*, std::vector<std::string>> bound_numbers_;  // coefficients, offset, extent
  std::map<ExprId, std::vector<std::string>> index_numbers_;
  const char* numbers_ = "n";  ///< the array of numbers, in the source
  bool partial_ = false;       // emitting the masked rest of a row
  bool streams_ = false;       // stores are aligned and go past the caches
  int fresh_ = 0;

  // ---- text
  void line(const std::string& s) { body_ += std::string(static_cast<std::size_t>(depth_) * 2, ' ') + s + "\n"; }
  void open(const std::string& s) {
    line(s.empty() ? "{" : s + " {");
    ++depth_;
    scopes_.emplace_back();
  }
  void close(const std::string& s = "}") {
    --depth_;
    scopes_.pop_back();
    line(s);
  }
  std::string number(const Dim& d) {
    if (auto value = d.constant(); fold_ && value && *value > INT64_MIN) return fmt::format("((i64){})", *value);
    out_.numbers.push_back(d);
    return fmt::format("{}[{}]", numbers_, out_.numbers.size() - 1);
  }
  const Expr& expr(ExprId id) const { return k_.exprs[static_cast<std::size_t>(id)]; }
  std::string operand(int i) const {
    const auto& o = k_.operands[static_cast<std::size_t>(i)];
    int inputs = static_cast<int>(
        std::count_if(k_.operands.begin(), k_.operands.end(), [](const auto& p) { return !p.output; }));
    std::string plain = o.output ? fmt::format("out{}", i - inputs) : fmt::format("in{}", i);
    if (!options_.model_names) return plain;
    std::string name;
    for (char c : o.name) name += std::isalnum(static_cast<unsigned char>(c)) ? c : '_';
    return plain + "_" + name;
  }
  std::string axis(std::size_t a) const { return fmt::format("{}{}", k_.axes[a].reduction ? "r" : "i", a); }

  // ---- what depends on what
  bool moves(const Affine& a) const { return !a.coefficients[vector_].is(0); }
  bool varies(ExprId id) const {
    const Expr& e = expr(id);
    switch (e.kind) {
      case Expr::Kind::literal:
      case Expr::Kind::number: return false;
      case Expr::Kind::index: return moves(e.affine);
      case Expr::Kind::inside:
        return std::any_of(e.bounds.begin(), e.bounds.end(), [&](const Bound& b) { return moves(b.index); });
      case Expr::Kind::accumulator: return !horizontal_;
      case Expr::Kind::scan: return true;
      case Expr::Kind::load:
        return moves(e.access.element) ||
               std::any_of(e.access.bounds.begin(), e.access.bounds.end(),
                           [&](const Bound& b) { return moves(b.index); }) ||
               std::any_of(e.access.indirect.begin(), e.access.indirect.end(),
                           [&](const auto& i) { return varies(i.index); });
      case Expr::Kind::op: return std::any_of(e.args.begin(), e.args.end(), [&](ExprId a) { return varies(a); });
    }
    return false;
  }

  /// Numbers in a fixed order: shapes must not decide which there are.
  void bind_numbers();
  std::vector<std::string> numbers_of(const Affine& a);
  void bind_bound(const Bound& b);
  static std::vector<ExprId> values(std::span<const kernel::Store> stores) {
    std::vector<ExprId> result(stores.size());
    std::transform(stores.begin(), stores.end(), result.begin(), [](const auto& s) { return s.value; });
    return result;
  }

  // ---- expressions
  /// Calls f for each expression that `roots` need and that is not defined yet, arguments first.
  template <class F>
  void for_each_undefined(const std::vector<ExprId>& roots, F f) const {
    // Iterative post-order: chains of operators can be long.
    std::vector<std::pair<ExprId, bool>> stack;
    for (auto it = roots.rbegin(); it != roots.rend(); ++it) stack.push_back({*it, false});
    while (!stack.empty()) {
      auto [id, ready] = stack.back();
      stack.pop_back();
      const Expr& e = expr(id);
      if (e.kind == Expr::Kind::literal || e.kind == Expr::Kind::accumulator || defined(id)) continue;
      if (ready) {
        f(id);
        continue;
      }
      stack.push_back({id, true});
      for (auto it = e.args.rbegin(); it != e.args.rend(); ++it) stack.push_back({*it, false});
      for (const auto& i : e.access.indirect) stack.push_back({i.index, false});
    }
  }
  const std::string* defined(ExprId id) const;
  void define(const std::vector<ExprId>& roots, bool full);
  void define_one(ExprId id);
  std::string scalar_of(ExprId id) const;
  std::string vector_of(ExprId id) const;
  std::string affine(const Affine& a, const std::vector<std::string>& num) const;
  std::string address(const Access& a);
  std::string scalar_bounds(const std::vector<Bound>& bounds);
  int lane_bounds(const std::vector<Bound>& bounds);
  std::string inside(const std::vector<Bound>& bounds, bool vec);
  std::string load(const Expr& e, bool vec);
  void store(const kernel::Store& st);
};

}  // namespace jitney::compiler
