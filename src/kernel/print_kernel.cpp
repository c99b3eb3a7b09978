// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "kernel/build.h"
#include "kernel/schedule.h"

namespace jitney::kernel {

namespace {

std::string print(const Kernel& k, const Affine& a) {
  std::string s;
  for (std::size_t i = 0; i < a.coefficients.size(); ++i) {
    const auto& c = a.coefficients[i];
    if (c.is(0)) continue;
    s += fmt::format("{}{}{}", s.empty() ? "" : " + ", k.axes[i].name, c.is(1) ? "" : "*(" + c.to_string() + ")");
  }
  if (s.empty()) return a.offset.to_string();
  return a.offset.is(0) ? s : s + " + " + a.offset.to_string();
}

std::string print(const Kernel& k, const std::vector<Bound>& bounds) {
  std::string s;
  for (const auto& b : bounds)
    s += fmt::format("{}0 <= {} < {}", s.empty() ? "" : ", ", print(k, b.index), b.extent.to_string());
  return s;
}

std::string print(const Kernel& k, const Access& a) {
  std::string s = fmt::format("{}[{}", k.operands[static_cast<std::size_t>(a.operand)].name, print(k, a.element));
  for (const auto& i : a.indirect)
    s += fmt::format(" + wrap(%{}, {})*{}", i.index, i.extent.to_string(), i.stride.to_string());
  s += "]";
  if (!a.bounds.empty()) s += " where " + print(k, a.bounds);
  return s;
}

std::string print(const Kernel& k, const Expr& e) {
  switch (e.kind) {
    case Expr::Kind::literal: return is_floating(e.dtype) ? fmt::format("{}", e.literal) : fmt::format("{}", e.integer);
    case Expr::Kind::number: return e.affine.offset.to_string();
    case Expr::Kind::index: return print(k, e.affine);
    case Expr::Kind::inside: return print(k, e.bounds);
    case Expr::Kind::load: return print(k, e.access);
    case Expr::Kind::accumulator: return fmt::format("acc{}", e.reduction);
    case Expr::Kind::scan: return fmt::format("{}scan(%{})", e.integer != 0 ? "exclusive " : "", e.args[0]);
    case Expr::Kind::op: break;
  }
  std::string s = std::string(info(e.op).name) + "(";
  for (std::size_t i = 0; i < e.args.size(); ++i) s += fmt::format("{}%{}", i ? ", " : "", e.args[i]);
  return s + ")";
}

}  // namespace

std::string describe(const Algorithm& a) {
  static constexpr const char* kKinds[] = {"scatter_elements", "scatter_nd", "top_k"};
  static constexpr const char* kCombine[] = {"replaced by", "plus", "times", "maximum with", "minimum with"};
  const std::string kind = kKinds[static_cast<int>(a.kind)];
  if (a.kind == Algorithm::Kind::top_k)
    return fmt::format("{} along axis {}, {} first", kind, a.axis, a.largest ? "largest" : "smallest");
  return fmt::format("{}, elements {} updates in order", kind, kCombine[static_cast<int>(a.combine)]);
}

std::string print(const Kernel& k) {
  static constexpr const char* kReduce[] = {"sum", "product", "max", "min"};
  std::string s = fmt::format("kernel '{}'\n", k.name);
  if (k.algorithm) return s + "  " + describe(*k.algorithm) + "\n";
  const int vector_axis = choose_vector_axis(k);
  for (std::size_t i = 0; i < k.axes.size(); ++i)
    s += fmt::format("  {} {} < {}{}\n", k.axes[i].reduction ? "reduce  " : "parallel", k.axes[i].name,
                     k.axes[i].extent.to_string(), static_cast<int>(i) == vector_axis ? "  (vector)" : "");
  for (std::size_t i = 0; i < k.exprs.size(); ++i)
    s += fmt::format("  %{}: {} = {}{}\n", i, to_string(k.exprs[i].dtype), print(k, k.exprs[i]),
                     k.exprs[i].full ? "" : "  (row)");
  for (std::size_t i = 0; i < k.reductions.size(); ++i)
    s += fmt::format("  phase {}: acc{} = {} of %{}\n", k.reductions[i].phase, i,
                     kReduce[static_cast<int>(k.reductions[i].kind)], k.reductions[i].value);
  for (const auto& st : k.full_stores) s += fmt::format("  store {} = %{}\n", print(k, st.access), st.value);
  for (const auto& st : k.row_stores) s += fmt::format("  store {} = %{} (row)\n", print(k, st.access), st.value);
  return s;
}

}  // namespace jitney::kernel
