// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "compiler/c_expr_writer.h"

#include "kernel/print_expr.h"

namespace jitney::compiler {

std::vector<std::string> CExprWriter::numbers_of(const Affine& a) {
  std::vector<std::string> v;
  v.reserve(a.coefficients.size() + 2);
  for (std::size_t i = 0; i < a.coefficients.size(); ++i)
    v.push_back(i == vector_ && (a.coefficients[i].is(0) || a.coefficients[i].is(1)) ? "" : number(a.coefficients[i]));
  v.push_back(number(a.offset));
  return v;
}

void CExprWriter::bind_bound(const Bound& b) {
  auto v = numbers_of(b.index);
  v.push_back(number(b.extent));
  bound_numbers_[&b] = std::move(v);
}

void CExprWriter::bind_numbers() {
  auto bounds = [&](const std::vector<Bound>& bs) {
    for (const auto& b : bs) bind_bound(b);
  };
  auto access = [&](const Access& a) {
    auto v = numbers_of(a.element);
    for (const auto& i : a.indirect) {
      v.push_back(number(i.stride));
      v.push_back(number(i.extent));
    }
    steps_[&a] = std::move(v);
    bounds(a.bounds);
  };
  for (std::size_t i = 0; i < k_.exprs.size(); ++i) {
    const Expr& e = k_.exprs[i];
    if (e.kind == Expr::Kind::load) access(e.access);
    if (e.kind == Expr::Kind::inside) bounds(e.bounds);
    if (e.kind == Expr::Kind::index) index_numbers_[static_cast<ExprId>(i)] = numbers_of(e.affine);
    if (e.kind == Expr::Kind::number) index_numbers_[static_cast<ExprId>(i)] = {number(e.affine.offset)};
  }
  for (const auto& s : k_.full_stores) access(s.access);
  for (const auto& s : k_.row_stores) access(s.access);
}

const std::string* CExprWriter::defined(ExprId id) const {
  for (auto it = scopes_.rbegin(); it != scopes_.rend(); ++it)
    if (auto f = it->find(id); f != it->end()) return &f->second;
  return nullptr;
}

/// Defines what `roots` need, in the innermost scope: only row-level expressions, or all.
void CExprWriter::define(const std::vector<ExprId>& roots, bool full) {
  for_each_undefined(roots, [&](ExprId id) {
    if (full || !expr(id).full) define_one(id);
  });
}

void CExprWriter::define_one(ExprId id) {
  const Expr& e = expr(id);
  bool vec = varies(id);
  std::string name = fmt::format("t{}", id);
  if (e.kind == Expr::Kind::scan) {
    const std::string step = fmt::format("sum{} = sum{} + {};", id, id, vector_of(e.args[0]));
    if (e.integer == 0) line(step);
    line(fmt::format("const {}v {} = sum{};", kernel::compute_type(e.dtype), name, id));
    if (e.integer != 0) line(step);
    scopes_.back()[id] = name;
    return;
  }
  std::string value;
  switch (e.kind) {
    case Expr::Kind::number: value = index_numbers_[id][0]; break;
    case Expr::Kind::index: {
      const auto& num = index_numbers_[id];
      value = affine(e.affine, num);
      if (vec)
        value =
            fmt::format("({}) + JT_CONVERT(jt_iota(), i64){}", value, num[vector_].empty() ? "" : " * " + num[vector_]);
      break;
    }
    case Expr::Kind::inside: value = inside(e.bounds, vec); break;
    case Expr::Kind::load: value = load(e, vec); break;
    case Expr::Kind::op: {
      std::vector<std::string> args;
      std::vector<DType> types;
      for (auto a : e.args) {
        args.push_back(vec ? vector_of(a) : scalar_of(a));
        types.push_back(expr(a).dtype);
      }
      value = kernel::print_operation(e, args, types);
      break;
    }
    default: return;
  }
  line(fmt::format("const {}{} {} = {};", kernel::compute_type(e.dtype), vec ? "v" : "", name, value));
  scopes_.back()[id] = name;
}

std::string CExprWriter::scalar_of(ExprId id) const {
  const Expr& e = expr(id);
  if (e.kind == Expr::Kind::literal)
    return fmt::format("({}){}", kernel::compute_type(e.dtype), kernel::print_literal(e));
  if (e.kind == Expr::Kind::accumulator) return fmt::format("s{}", e.reduction);
  return *defined(id);
}

std::string CExprWriter::vector_of(ExprId id) const {
  const Expr& e = expr(id);
  if (e.kind == Expr::Kind::accumulator && !horizontal_) return fmt::format("acc{}", e.reduction);
  if (e.kind != Expr::Kind::literal && varies(id)) return *defined(id);
  return fmt::format("({}v)({})", kernel::compute_type(e.dtype), scalar_of(id));
}

/// Value of an affine function at lane 0 of the current point.
std::string CExprWriter::affine(const Affine& a, const std::vector<std::string>& num) const {
  std::string s = num[k_.axes.size()];
  for (std::size_t i = 0; i < k_.axes.size(); ++i) {
    if ((i == vector_ || k_.axes[i].reduction) && a.coefficients[i].is(0)) continue;
    s += num[i].empty() ? " + " + axis(i) : fmt::format(" + {}*{}", axis(i), num[i]);
  }
  return s;
}

/// Address at lane 0: the row pointer moved along reduction axes and the vector axis.
std::string CExprWriter::address(const Access& a) {
  std::string s = pointers_[&a];
  const auto& steps = steps_[&a];
  for (std::size_t i = 0; i < k_.axes.size(); ++i) {
    if (!k_.axes[i].reduction && i != vector_) continue;
    if (a.element.coefficients[i].is(0)) continue;  // at row level there is no such loop variable
    s += steps[i].empty() ? " + " + axis(i) : fmt::format(" + {}*{}", axis(i), steps[i]);
  }
  return s;
}

std::string CExprWriter::scalar_bounds(const std::vector<Bound>& bounds) {
  std::string s;
  for (const auto& b : bounds)
    if (!moves(b.index)) {
      const auto& num = bound_numbers_[&b];
      s += fmt::format("{}(u64)({}) < (u64)({})", s.empty() ? "" : " && ", affine(b.index, num), num.back());
    }
  return s;
}

/// Declares lo and hi: the lanes for which bounds hold (and which exist). Gives the suffix of their names.
int CExprWriter::lane_bounds(const std::vector<Bound>& bounds) {
  int id = fresh_++;
  std::string none = scalar_bounds(bounds);
  std::string all = partial_ ? "m" : "JT_LANES";
  line(fmt::format("i64 lo{} = 0, hi{} = {};", id, id, none.empty() ? all : none + " ? " + all + " : 0"));
  for (const auto& b : bounds)
    if (moves(b.index)) {
      const auto& num = bound_numbers_[&b];
      line(fmt::format("jt_clip({}, {}, {}, &lo{}, &hi{});", affine(b.index, num),
                       num[vector_].empty() ? "1" : num[vector_], num.back(), id, id));
    }
  return id;
}

std::string CExprWriter::inside(const std::vector<Bound>& bounds, bool vec) {
  if (!vec) {
    std::string s = scalar_bounds(bounds);
    return s.empty() ? "-1" : fmt::format("-({})", s);
  }
  int id = lane_bounds(bounds);
  return fmt::format("jt_lanes(lo{}, hi{})", id, id);
}

std::string CExprWriter::load(const Expr& e, bool vec) {
  const Access& a = e.access;
  const char* s = kernel::storage_type(e.dtype);
  std::string at = address(a);
  const auto& steps = steps_[&a];
  std::string lanewise;
  std::string guard = scalar_bounds(a.bounds);
  std::string guard_and = guard.empty() ? "" : "(" + guard + ") ? ";
  for (std::size_t i = 0; i < a.indirect.size(); ++i) {
    const auto& stride = steps[k_.axes.size() + 1 + 2 * i];
    const auto& extent = steps[k_.axes.size() + 2 + 2 * i];
    if (!varies(a.indirect[i].index)) {
      std::string wrapped = fmt::format("jt_wrap({}, {}, a->fault)", scalar_of(a.indirect[i].index), extent);
      if (!guard.empty()) wrapped = fmt::format("(({}) ? {} : 0)", guard, wrapped);
      std::string q = fmt::format("q{}", fresh_++);
      line(fmt::format("const {}* {} = {} + {}*{};", s, q, at, wrapped, stride));
      at = q;
    } else {
      lanewise += fmt::format(" + jt_wrap_lanes({}, {}, a->fault, LO, HI) * {}", vector_of(a.indirect[i].index), extent,
                              stride);
    }
  }
  if (!vec)
    return guard.empty() ? fmt::format("jt_get_{}({})", s, at) : fmt::format("{}jt_get_{}({}) : 0", guard_and, s, at);
  bool contiguous = a.element.coefficients[vector_].is(1);
  bool fixed = a.element.coefficients[vector_].is(0);
  std::string step = contiguous ? "1" : fixed ? "0" : steps[vector_];
  if (!lanewise.empty()) {
    int id = lane_bounds(a.bounds);
    auto replace = [&](const std::string& what, const std::string& with) {
      for (auto p = lanewise.find(what); p != std::string::npos; p = lanewise.find(what))
        lanewise.replace(p, what.size(), with);
    };
    replace("LO", fmt::format("lo{}", id));
    replace("HI", fmt::format("hi{}", id));
    return fmt::format("jt_gather_at_{}({}, JT_CONVERT(jt_iota(), i64) * {}{}, lo{}, hi{})", s, at, step, lanewise, id,
                       id);
  }
  if (!a.bounds.empty()) {
    int id = lane_bounds(a.bounds);
    return fmt::format("jt_load_range_{}({}, {}, lo{}, hi{})", s, at, step, id, id);
  }
  if (!contiguous) return fmt::format("jt_gather_{}({}, {}, {})", s, at, step, partial_ ? "m" : "JT_LANES");
  return partial_ ? fmt::format("jt_load_part_{}({}, m)", s, at) : fmt::format("jt_load_{}({})", s, at);
}

void CExprWriter::store(const kernel::Store& st) {
  const Access& a = st.access;
  const auto& o = k_.operands[static_cast<std::size_t>(a.operand)];
  const char* s = kernel::storage_type(o.dtype);
  std::string at = address(a);
  bool lanes = moves(a.element);
  if (!lanes) {
    std::string value = varies(st.value) ? fmt::format("{}[0]", vector_of(st.value)) : scalar_of(st.value);
    line(fmt::format("jt_put_{}({}, {});", s, at, value));
    return;
  }
  std::string value = vector_of(st.value);
  if (!a.element.coefficients[vector_].is(1))
    line(fmt::format("jt_scatter_{}({}, {}, {}, {});", s, at, steps_[&a][vector_], value, partial_ ? "m" : "JT_LANES"));
  else if (partial_)
    line(fmt::format("jt_store_part_{}({}, {}, m);", s, at, value));
  else
    line(fmt::format("jt_{}_{}({}, {});", streams_ ? "stream" : "store", s, at, value));
}

}  // namespace jitney::compiler
