// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <functional>

#include "kernel/kernel.h"
#include "kernel/parts.h"
#include "kernel/schedule.h"

namespace jitney::kernel {

using ir::Dim;

namespace {

void for_each_bound(Kernel& k, const std::function<void(Bound&)>& f) {
  auto all = [&](std::vector<Bound>& bounds) {
    for (auto& b : bounds) f(b);
  };
  for (auto& e : k.exprs) {
    all(e.bounds);
    all(e.access.bounds);
  }
  for (auto& s : k.row_stores) all(s.access.bounds);
  for (auto& s : k.full_stores) all(s.access.bounds);
  for (auto& parts : k.partitions) all(parts);
}

/// Every affine function in a kernel that is no bound's.
void for_each_place(Kernel& k, const std::function<void(Affine&)>& f) {
  for (auto& e : k.exprs) {
    f(e.affine);
    f(e.access.element);
  }
  for (auto& s : k.row_stores) f(s.access.element);
  for (auto& s : k.full_stores) f(s.access.element);
}

/// Every affine function in a kernel: what must agree before axes may change.
void for_each_affine(Kernel& k, const std::function<void(Affine&)>& f) {
  for_each_place(k, f);
  for_each_bound(k, [&](Bound& b) { f(b.index); });
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

/// A part of extent 1 along an axis is read at one index only, so that any stride is right there: gives it `stride`.
void restride_single(Kernel& k, std::size_t axis, const std::function<Dim(const Affine&)>& stride) {
  for (auto& e : k.exprs) {
    if (e.kind != Expr::Kind::load) continue;
    for (const Bound& b : e.access.bounds) {
      bool along = b.extent.is(1) && is_part(k, b);
      for (std::size_t i = 0; i < k.axes.size(); ++i) along = along && b.index.coefficients[i].is(i == axis);
      if (!along) continue;
      Affine& element = e.access.element;
      const Dim wanted = stride(element);
      element.offset = element.offset + (wanted - element.coefficients[axis]) * b.index.offset;
      element.coefficients[axis] = wanted;
    }
  }
}

/// Merges axis a - 1 into axis a where every access walks both as one. A part of a concatenation along axis a - 1 is
/// one along both: 0 <= i + o < e is 0 <= n i + j + n o < n e, for any j in [0, n).
void merge_with_outer(Kernel& k, std::size_t a) {
  if (k.axes[a - 1].reduction != k.axes[a].reduction) return;
  const Dim n = k.axes[a].extent;
  auto side_by_side = [&](const Affine& f) { return f.coefficients[a - 1] == f.coefficients[a] * n; };
  auto scalable = [&](const Bound& b) {
    return b.index.coefficients[a].is(0) && b.index.coefficients[a - 1].is(1) && is_part(k, b);
  };
  restride_single(k, a - 1, [&](const Affine& f) { return f.coefficients[a] * n; });
  bool fits = true;
  for_each_place(k, [&](Affine& f) { fits = fits && side_by_side(f); });
  for_each_bound(k, [&](Bound& b) { fits = fits && (side_by_side(b.index) || scalable(b)); });
  if (!fits) return;
  for_each_bound(k, [&](Bound& b) {
    if (side_by_side(b.index)) return;
    for (auto& c : b.index.coefficients) c = c * n;
    b.index.coefficients[a] = 1;
    b.index.offset = b.index.offset * n;
    b.extent = b.extent * n;
  });
  k.axes[a].extent = k.axes[a - 1].extent * n;
  remove_axis(k, a - 1);
}

}  // namespace

void collapse(Kernel& k) {
  for (std::size_t a = k.axes.size(); a-- > 0;)
    if (k.axes[a].extent.is(1) && !only_one_of_its_kind(k, a)) remove_axis(k, a);
  for (std::size_t a = k.axes.size(); a-- > 1;) merge_with_outer(k, a);
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
