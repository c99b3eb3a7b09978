// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include <functional>

#include "kernel/kernel.h"

namespace jitney::kernel {

using ir::Dim;

namespace {

/// Every affine function in a kernel: what must agree before axes may change.
void for_each_affine(Kernel& k, const std::function<void(Affine&)>& f) {
  auto access = [&](Access& a) {
    f(a.element);
    for (auto& b : a.bounds) f(b.index);
  };
  for (auto& e : k.exprs) {
    f(e.affine);
    for (auto& b : e.bounds) f(b.index);
    access(e.access);
  }
  for (auto& s : k.row_stores) access(s.access);
  for (auto& s : k.full_stores) access(s.access);
}

void remove_axis(Kernel& k, std::size_t axis) {
  k.axes.erase(k.axes.begin() + static_cast<std::ptrdiff_t>(axis));
  for_each_affine(k, [&](Affine& a) { a.coefficients.erase(a.coefficients.begin() + static_cast<std::ptrdiff_t>(axis)); });
}

bool only_one_of_its_kind(const Kernel& k, std::size_t axis) {
  int same = 0;
  for (const auto& a : k.axes) same += a.reduction == k.axes[axis].reduction;
  return same == 1 && (k.axes[axis].reduction || k.axes.size() == 1);
}

/// How well an axis vectorizes: accesses that jump are bad, then accesses that walk are good.
struct Score {
  int jumps = 0, walks = 0;
  bool better_than(const Score& o) const { return jumps != o.jumps ? jumps < o.jumps : walks > o.walks; }
};

Score score(const Kernel& k, std::size_t axis) {
  Score s;
  auto count = [&](const Access& a) {
    const Dim& c = a.element.coefficients[axis];
    if (c.is(1))
      ++s.walks;
    else if (!c.is(0))
      ++s.jumps;
  };
  const bool reduction = k.axes[axis].reduction;
  for (const auto& e : k.exprs)
    if (e.kind == Expr::Kind::load && (e.full || !reduction)) count(e.access);
  for (const auto& st : k.full_stores) count(st.access);
  if (!reduction)
    for (const auto& st : k.row_stores) count(st.access);
  return s;
}

}  // namespace

void collapse(Kernel& k) {
  for (std::size_t a = k.axes.size(); a-- > 0;)
    if (k.axes[a].extent.is(1) && !only_one_of_its_kind(k, a)) remove_axis(k, a);
  for (std::size_t a = k.axes.size(); a-- > 1;) {
    // Try to merge axis a - 1 into axis a.
    if (k.axes[a - 1].reduction != k.axes[a].reduction) continue;
    bool side_by_side = true;
    for_each_affine(k, [&](Affine& f) {
      side_by_side = side_by_side && f.coefficients[a - 1] == f.coefficients[a] * k.axes[a].extent;
    });
    if (!side_by_side) continue;
    k.axes[a].extent = k.axes[a - 1].extent * k.axes[a].extent;
    remove_axis(k, a - 1);
  }
  int parallel = k.parallel_axes();
  k.vector_axis = parallel - 1;
  if (k.has_reduction()) {
    auto last = k.axes.size() - 1;
    if (parallel == 0 || !score(k, static_cast<std::size_t>(parallel) - 1).better_than(score(k, last))) k.vector_axis = static_cast<int>(last);
  }
}

}  // namespace jitney::kernel
