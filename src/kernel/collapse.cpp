// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <functional>

#include "kernel/kernel.h"
#include "kernel/schedule.h"

namespace jitney::kernel {

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
  for_each_affine(k,
                  [&](Affine& a) { a.coefficients.erase(a.coefficients.begin() + static_cast<std::ptrdiff_t>(axis)); });
}

bool only_one_of_its_kind(const Kernel& k, std::size_t axis) {
  int same = 0;
  for (const auto& a : k.axes) same += a.reduction == k.axes[axis].reduction;
  return same == 1 && (k.axes[axis].reduction || k.axes.size() == 1 || k.has_scan());
}

/// Moves an axis behind another; loops may be reordered freely among the parallel ones.
void move_axis(Kernel& k, std::size_t from, std::size_t to) {
  auto rotate = [&](auto& v) {
    std::rotate(v.begin() + static_cast<std::ptrdiff_t>(from), v.begin() + static_cast<std::ptrdiff_t>(from) + 1,
                v.begin() + static_cast<std::ptrdiff_t>(to) + 1);
  };
  rotate(k.axes);
  for_each_affine(k, [&](Affine& a) { rotate(a.coefficients); });
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
  // A parallel axis that is to be the vector axis becomes the innermost one. Among equals the innermost is taken, so
  // that a map keeps its outputs' order.
  const int parallel = k.parallel_axes();
  int best = parallel - 1;
  for (int a = parallel - 2; a >= 0; --a)
    if (score(k, static_cast<std::size_t>(a)).better_than(score(k, static_cast<std::size_t>(best)))) best = a;
  if (best == parallel - 1) return;
  if (k.has_reduction() && !k.has_scan() &&
      !score(k, static_cast<std::size_t>(best)).better_than(score(k, k.axes.size() - 1)))
    return;
  move_axis(k, static_cast<std::size_t>(best), static_cast<std::size_t>(parallel) - 1);
}

}  // namespace jitney::kernel
