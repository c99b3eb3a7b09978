// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "compiler/c_expr_writer.h"
#include "kernel/print_expr.h"

namespace jitney::compiler {

/// Writes the expressions, loads and stores of a kernel as CUDA C++, where everything is a scalar of one element, and a
/// thread has a few neighbouring elements along the vector axis. Which loops stand around them is the emitter's part.
class CudaExprWriter : protected CExprWriter {
 protected:
  CudaExprWriter(const Kernel& k, const kernel::Schedule& schedule, const EmitOptions& options, bool fold)
      : CExprWriter(k, schedule, options, fold) {
    parallel_ = static_cast<std::size_t>(k.parallel_axes());
    first_reduction_ = parallel_;
    slices_ = slices();
    vector_elements_ = elements_at_once();
    numbers_ = "a.n";
  }

  std::size_t parallel_ = 0, first_reduction_ = 0;
  int vector_elements_ = 4, slices_ = 1;
  bool in_lanes_ = false;  // inside the loop over a thread's elements
  std::map<const Access*, std::string> packs_;
  std::map<const Access*, std::string> kept_;  // packs that a thread holds from pass to pass: arrays, by kept_at_
  std::string kept_at_;
  static constexpr std::size_t kNone = ~std::size_t{0};
  std::size_t tile_axis_ = kNone;               // a parallel axis that is a loop of its own
  std::map<const Access*, std::string> tiles_;  // elements that lie in shared memory

  /// 16 bytes of the widest operand that is walked along the vector axis; fewer for a short axis. A reduction across
  /// memory has an accumulator an element, and wants more threads rather than longer ones.
  int elements_at_once() const {
    const bool across = k_.has_reduction() && !horizontal_;
    if (across && (slices_ > 1 || k_.has_scan())) return 1;
    // What all rows share is read from near: it does not count where others move.
    std::size_t widest = 1, widest_shared = 1;
    auto see = [&](const Access& a) {
      if (!a.element.coefficients[vector_].is(1)) return;
      const auto moving = std::ranges::count_if(a.element.coefficients, [](const ir::Dim& c) { return !c.is(0); });
      std::size_t& most = moving > 1 ? widest : widest_shared;
      most = std::max(most, size_of(k_.operands[static_cast<std::size_t>(a.operand)].dtype));
    };
    for (const auto& e : k_.exprs)
      if (e.kind == Expr::Kind::load) see(e.access);
    for (const auto& s : k_.full_stores) see(s.access);
    for (const auto& s : k_.row_stores) see(s.access);
    if (widest == 1) widest = widest_shared;
    int elements = std::clamp(static_cast<int>(16 / widest), 1, across ? 4 : 8);
    const auto extent = k_.axes[vector_].extent.constant();
    while (extent && elements > 1 && *extent < elements) elements /= 2;
    return elements;
  }

  int slices() const {
    if (!k_.has_reduction() || horizontal_ || k_.has_scan()) return 1;
    const auto extent = k_.axes[first_reduction_].extent.constant();
    return extent && *extent < 8 ? 1 : 8;
  }

  void bind_arguments() {
    for (std::size_t i = 0; i < k_.operands.size(); ++i) {
      const auto& o = k_.operands[i];
      const std::string type = fmt::format("{}{}*", o.output ? "" : "const ", kernel::storage_type(o.dtype));
      line(fmt::format("{} {} = ({})a.p[{}];", type, operand(static_cast<int>(i)), type, i));
    }
    for (std::size_t i = 0; i < k_.axes.size(); ++i)
      line(fmt::format("const i64 e{} = {};", i, number(k_.axes[i].extent)));
    bind_numbers();
  }

  // ---- places
  /// The parallel axes but the vector axis (if that is one), out of `rest`.
  void find_place() {
    std::size_t outermost = 0;
    while (outermost == vector_ || outermost == tile_axis_) ++outermost;
    for (std::size_t i = parallel_; i-- > 0;) {
      if (i == vector_ || i == tile_axis_) continue;
      // The outermost axis is what the others leave.
      line(i == outermost ? fmt::format("const i64 {} = rest;", axis(i))
                          : fmt::format("const i64 {} = jt_divide(rest, e{});", axis(i), i));
    }
    auto pointer = [&](const Access& a) {
      const auto& steps = steps_[&a];
      std::string s = operand(a.operand) + " + " + steps[k_.axes.size()];
      for (std::size_t i = 0; i < parallel_; ++i)
        if (i != vector_ && i != tile_axis_) s += fmt::format(" + {}*{}", axis(i), steps[i]);
      const std::string name = fmt::format("p{}", fresh_++);
      line(fmt::format("auto* {} = {};", name, s));
      pointers_[&a] = name;
    };
    for (const auto& e : k_.exprs)
      if (e.kind == Expr::Kind::load) pointer(e.access);
    for (const auto& s : k_.full_stores) pointer(s.access);
    for (const auto& s : k_.row_stores) pointer(s.access);
  }

  std::string value_of(const Affine& a, const std::vector<std::string>& num) const {
    std::string s = num[k_.axes.size()];
    for (std::size_t i = 0; i < k_.axes.size(); ++i) {
      if (a.coefficients[i].is(0)) continue;
      s += num[i].empty() ? " + " + axis(i) : fmt::format(" + {}*{}", axis(i), num[i]);
    }
    return s;
  }

  /// Without the vector axis when the access is read as a whole pack.
  std::string place_of(const Access& a, bool base = false) {
    std::string s = pointers_[&a];
    const auto& steps = steps_[&a];
    for (std::size_t i = 0; i < k_.axes.size(); ++i) {
      const bool is_inside = k_.axes[i].reduction || i == vector_ || i == tile_axis_;
      if (!is_inside || a.element.coefficients[i].is(0)) continue;
      const std::string at = base && i == vector_ ? "b" : axis(i);
      s += steps[i].empty() ? " + " + at : fmt::format(" + {}*{}", at, steps[i]);
    }
    return s;
  }

  std::string condition(const std::vector<Bound>& bounds) {
    std::string s;
    for (const auto& b : bounds) {
      const auto& num = bound_numbers_[&b];
      s += fmt::format("{}(u64)({}) < (u64)({})", s.empty() ? "" : " && ", value_of(b.index, num), num.back());
    }
    return s;
  }

  // ---- expressions: scalars of one element
  void define_all(const std::vector<ExprId>& roots, bool full, bool varying) {
    for_each_undefined(roots, [&](ExprId id) {
      if ((full || !expr(id).full) && (varying || !varies(id))) define_scalar(id);
    });
  }

  std::string text_of(ExprId id) const {
    const Expr& e = expr(id);
    if (e.kind == Expr::Kind::literal) return fmt::format("({}){}", kernel::compute_type(e.dtype), literal(e));
    if (e.kind == Expr::Kind::accumulator) return accumulator(static_cast<std::size_t>(e.reduction));
    return *defined(id);
  }

  /// A reduction along memory has one; one across memory has one for each of a thread's elements.
  std::string accumulator(std::size_t r) const {
    return fmt::format("acc{}{}", r, !horizontal_ && vector_elements_ > 1 ? "[l]" : "");
  }

  static std::string literal(const Expr& e) {
    if (is_floating(e.dtype) && std::isinf(e.literal)) return fmt::format("({}JT_INF)", e.literal < 0 ? "-" : "");
    if (is_floating(e.dtype) && std::isnan(e.literal)) return "__int_as_float(0x7fc00000)";
    return kernel::print_literal(e);
  }

  void define_scalar(ExprId id) {
    const Expr& e = expr(id);
    const std::string name = fmt::format("t{}", id);
    if (e.kind == Expr::Kind::scan) {
      const std::string step = fmt::format("sum{} = sum{} + {};", id, id, text_of(e.args[0]));
      if (e.integer == 0) line(step);
      line(fmt::format("const {} {} = sum{};", kernel::compute_type(e.dtype), name, id));
      if (e.integer != 0) line(step);
      scopes_.back()[id] = name;
      return;
    }
    std::string value;
    switch (e.kind) {
      case Expr::Kind::number: value = index_numbers_[id][0]; break;
      case Expr::Kind::index: value = value_of(e.affine, index_numbers_[id]); break;
      case Expr::Kind::inside: {
        const std::string s = condition(e.bounds);
        value = s.empty() ? "-1" : fmt::format("-(i32)({})", s);
        break;
      }
      case Expr::Kind::load: value = read(e); break;
      case Expr::Kind::op: {
        std::vector<std::string> args;
        std::vector<DType> types;
        for (auto a : e.args) {
          args.push_back(text_of(a));
          types.push_back(expr(a).dtype);
        }
        value = kernel::print_operation(e, args, types);
        break;
      }
      default: return;
    }
    line(fmt::format("const {} {} = {};", kernel::compute_type(e.dtype), name, value));
    scopes_.back()[id] = name;
  }

  std::string read(const Expr& e) {
    const Access& a = e.access;
    const char* s = kernel::storage_type(e.dtype);
    if (auto tile = tiles_.find(&a); tile != tiles_.end()) return fmt::format("jt_up_{}({})", s, tile->second);
    if (auto pack = packs_.find(&a); pack != packs_.end()) return fmt::format("jt_up_{}({}.e[l])", s, pack->second);
    std::string guard = condition(a.bounds);
    // Elements beyond the end of a row are not there.
    if (in_lanes_ && vector_elements_ > 1 && varies_by_place(a)) guard += guard.empty() ? "l < m" : " && l < m";
    const std::string at = place_of(a) + indirect_part(a, guard);
    const std::string got = fmt::format("jt_up_{}(*({}))", s, at);
    return guard.empty() ? got : fmt::format("({}) ? {} : ({})0", guard, got, kernel::compute_type(e.dtype));
  }

  bool varies_by_place(const Access& a) const {
    return moves(a.element) || !a.indirect.empty() ||
           std::any_of(a.bounds.begin(), a.bounds.end(), [&](const Bound& b) { return moves(b.index); });
  }

  /// Neighbours along the vector axis are neighbours in memory, and exist or not together.
  bool is_packed(const Access& a) const {
    return a.element.coefficients[vector_].is(1) &&
           std::ranges::none_of(a.indirect, [&](const auto& i) { return varies(i.index); }) &&
           std::ranges::none_of(a.bounds, [&](const Bound& b) { return moves(b.index); });
  }

  /// What indices that are data add to a place.
  std::string indirect_part(const Access& a, const std::string& guard) {
    std::string s;
    const auto& steps = steps_[&a];
    for (std::size_t i = 0; i < a.indirect.size(); ++i)
      s += fmt::format(" + {}jt_wrap({}, {}, a.fault){} * {}", guard.empty() ? "" : "((" + guard + ") ? ",
                       text_of(a.indirect[i].index), steps[k_.axes.size() + 2 + 2 * i], guard.empty() ? "" : " : 0)",
                       steps[k_.axes.size() + 1 + 2 * i]);
    return s;
  }

  /// The indices of `e` are defined.
  void read_pack(const Expr& e, const std::string& name) {
    const std::string guard = condition(e.access.bounds);
    const char* m = guard.empty() ? "m" : "some";
    if (!guard.empty()) open("");
    if (!guard.empty()) line(fmt::format("const i32 some = {} ? m : 0;", guard));
    line(fmt::format("jt_read<{}>({}, {}{}, {} == {}, {});", vector_elements_, name, place_of(e.access, true),
                     indirect_part(e.access, guard), m, vector_elements_, m));
    if (!guard.empty()) close();
  }

  /// How many of a thread's elements exist: all where the axis has known groups of them.
  void count_elements() {
    const auto extent = k_.axes[vector_].extent.constant();
    if (fold_ && extent && *extent % vector_elements_ == 0)
      line(fmt::format("const i32 m = {};", vector_elements_));
    else
      line(fmt::format("const i32 m = e{} - b < {} ? (i32)(e{} - b) : {};", vector_, vector_elements_, vector_,
                       vector_elements_));
  }

  /// Everything that `roots` need at one place of the vector axis, `body` once for each of the thread's elements; then
  /// `stores` are written. b is the first element's index, m how many exist.
  template <class F>
  void elements(const std::vector<ExprId>& roots, bool full, const std::vector<kernel::Store>* stores, F body) {
    if (vector_elements_ > 1) count_elements();
    std::set<ExprId> needed;
    collect(roots, needed);
    define_all(roots, full, false);
    if (vector_elements_ > 1) {
      for (ExprId id : needed) {
        const Expr& e = expr(id);
        if (e.kind != Expr::Kind::load || defined(id) || !is_packed(e.access)) continue;
        if (auto kept = kept_.find(&e.access); kept != kept_.end() && !kept_at_.empty()) {
          packs_[&e.access] = fmt::format("{}[{}]", kept->second, kept_at_);
          continue;
        }
        const std::string name = fmt::format("v{}", fresh_++);
        line(fmt::format("jt_pack<{}, {}> {};", vector_elements_, kernel::storage_type(e.dtype), name));
        read_pack(e, name);
        packs_[&e.access] = name;
      }
    }
    std::map<const kernel::Store*, std::string> outputs;
    if (stores && vector_elements_ > 1) {
      for (const auto& st : *stores) {
        if (!is_packed(st.access)) continue;
        const std::string name = fmt::format("o{}", fresh_++);
        line(fmt::format("jt_pack<{}, {}> {};", vector_elements_, storage_of(st), name));
        outputs[&st] = name;
      }
    }
    if (vector_elements_ > 1) {
      line("#pragma unroll");
      open(fmt::format("for (i32 l = 0; l < {}; ++l)", vector_elements_));
      line(fmt::format("const i64 {} = b + l;", axis(vector_)));
    } else {
      open("");
      line(fmt::format("const i64 {} = b;", axis(vector_)));
    }
    in_lanes_ = true;
    define_all(roots, full, true);
    body();
    if (stores) {
      for (const auto& st : *stores) {
        const std::string value = fmt::format("jt_down_{}({})", storage_of(st), text_of(st.value));
        if (auto o = outputs.find(&st); o != outputs.end())
          line(fmt::format("{}.e[l] = {};", o->second, value));
        else
          line(fmt::format("{}*({}) = {};", vector_elements_ > 1 ? "if (l < m) " : "", place_of(st.access), value));
      }
    }
    in_lanes_ = false;
    close();
    for (const auto& [st, name] : outputs)
      line(fmt::format("jt_write<{}>({}, {}, m == {}, m);", vector_elements_, place_of(st->access, true), name,
                       vector_elements_));
    for (ExprId id : needed) packs_.erase(&expr(id).access);
  }

  void collect(const std::vector<ExprId>& roots, std::set<ExprId>& into) const {
    std::vector<ExprId> stack(roots);
    while (!stack.empty()) {
      const ExprId id = stack.back();
      stack.pop_back();
      if (!into.insert(id).second) continue;
      for (auto a : expr(id).args) stack.push_back(a);
      for (const auto& i : expr(id).access.indirect) stack.push_back(i.index);
    }
  }

  const char* storage_of(const kernel::Store& st) const {
    return kernel::storage_type(k_.operands[static_cast<std::size_t>(st.access.operand)].dtype);
  }
};

}  // namespace jitney::compiler
