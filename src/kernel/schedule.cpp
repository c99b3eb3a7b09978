// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "kernel/schedule.h"

#include <algorithm>

#include "kernel/parts.h"

namespace jitney::kernel {

using ir::Dim;

namespace {

// Sums wait for each other: a loop that adds into few vectors waits for the adder. With a fold at the end two vectors
// in flight are enough (the fold gets longer with each), without one four are.
constexpr int kVectorsAcrossLanes = 2, kVectorsPerLane = 4;
// A known extent below this is not worth a vector of its own.
constexpr int kLeastLanes = 8;
// A thread is worth waking for about this many scalar operations (some 10 microseconds).
constexpr std::int64_t kOperationsPerGrain = 1 << 16;

int lanes_of(const Kernel& k, const Schedule& s, int vector_bytes) {
  int vectors = s.reduction == Schedule::Reduction::none           ? 1
                : s.reduction == Schedule::Reduction::across_lanes ? kVectorsAcrossLanes
                                                                   : kVectorsPerLane;
  int lanes = vector_bytes / 4 * vectors;
  // An extent that is known and small needs no more lanes than it has elements.
  auto extent = k.axes[static_cast<std::size_t>(s.vector_axis)].extent.constant();
  while (extent && lanes > kLeastLanes && lanes / 2 >= *extent) lanes /= 2;
  return lanes;
}

// What is written is larger than most last-level caches: nobody finds it there, and a line that is not read before it
// is written saves a third to a half of an elementwise kernel's traffic.
constexpr std::int64_t kStreamBytes = 32 << 20;
// Where more is computed than this, memory is not what a kernel waits for, and its loop is not worth doubling.
constexpr std::size_t kMostStreamedExprs = 12;

/// A loop over contiguous memory with one result.
bool can_stream(const Kernel& k) {
  if (k.axes.size() != 1 || k.has_reduction() || !k.partitions.empty() || k.exprs.size() > kMostStreamedExprs ||
      k.row_stores.size() != 1 || !k.row_stores[0].access.element.coefficients[0].is(1))
    return false;
  return std::all_of(k.exprs.begin(), k.exprs.end(), [](const Expr& e) {
    if (e.kind != Expr::Kind::load) return e.kind != Expr::Kind::inside;
    const Dim& step = e.access.element.coefficients[0];
    return e.access.bounds.empty() && e.access.indirect.empty() && (step.is(0) || step.is(1));
  });
}

int most_sums_in_a_phase(const Kernel& k) {
  int most = 0;
  for (int phase = 0; phase < k.phases; ++phase)
    most = std::max(most, static_cast<int>(std::count_if(k.reductions.begin(), k.reductions.end(),
                                                         [&](const auto& r) { return r.phase == phase; })));
  return most;
}

}  // namespace

bool AxisScore::better_than(const AxisScore& o) const {
  if (slow != o.slow) return slow < o.slow;
  return slow_outside != o.slow_outside ? slow_outside < o.slow_outside : walks > o.walks;
}

AxisScore score(const Kernel& k, std::size_t axis) {
  AxisScore s;
  auto count = [&](const Access& a, int& slow) {
    const Dim& c = a.element.coefficients[axis];
    s.walks += c.is(1);
    slow += !c.is(1) && !c.is(0);
    for (const auto& b : a.bounds) slow += !b.index.coefficients[axis].is(0) && !is_part(k, b);
  };
  const bool reduction = k.axes[axis].reduction;
  // A vector over three channels is mostly mask: rather a slow access with every lane at work.
  constexpr std::int64_t kShort = 8;
  s.slow += k.axes[axis].extent.constant().value_or(kShort) < kShort;
  for (const auto& e : k.exprs)
    if (e.kind == Expr::Kind::load && (e.full || !reduction))
      count(e.access, e.full || !k.has_reduction() ? s.slow : s.slow_outside);
  for (const auto& st : k.full_stores) count(st.access, s.slow);
  if (!reduction)
    for (const auto& st : k.row_stores) count(st.access, k.has_reduction() ? s.slow_outside : s.slow);
  return s;
}

int choose_vector_axis(const Kernel& k) {
  const int innermost = k.parallel_axes() - 1, last = static_cast<int>(k.axes.size()) - 1;
  if (!k.has_reduction() || innermost < 0) return last;
  if (k.has_scan()) return innermost;  // its own axis is walked in order
  const bool parallel =
      score(k, static_cast<std::size_t>(innermost)).better_than(score(k, static_cast<std::size_t>(last)));
  return parallel ? innermost : last;
}

Schedule make_schedule(const Kernel& k, int vector_bytes, bool fixed_shapes) {
  Schedule s;
  s.vector_axis = choose_vector_axis(k);
  if (k.has_reduction())
    s.reduction = k.axes[static_cast<std::size_t>(s.vector_axis)].reduction ? Schedule::Reduction::across_lanes
                                                                            : Schedule::Reduction::per_lane;
  s.lanes = lanes_of(k, s, vector_bytes);
  s.registers = std::max(1, s.lanes * 4 / vector_bytes);
  const auto extent = k.axes[static_cast<std::size_t>(s.vector_axis)].extent.constant();
  if (fixed_shapes && extent && *extent % s.lanes == 0 && k.partitions.empty()) {
    s.tail = false;
    if (!s.horizontal()) s.granule = s.lanes;
  }
  if (can_stream(k)) {
    const DType stored = k.operands[static_cast<std::size_t>(k.row_stores[0].access.operand)].dtype;
    const auto from = kStreamBytes / static_cast<std::int64_t>(size_of(stored));
    const auto known = k.axes[0].extent.constant();
    if (!known || *known >= from) s.stream_from = from;
  }
  s.accumulators = s.registers * most_sums_in_a_phase(k);
  s.points = 1;
  s.cost_per_point = static_cast<std::int64_t>(std::max<std::size_t>(k.exprs.size(), 1));
  for (const auto& axis : k.axes) {
    Dim& into = axis.reduction ? s.cost_per_point : s.points;
    into = into * axis.extent;
  }
  return s;
}

std::int64_t grain(std::int64_t cost_per_point) {
  return std::max<std::int64_t>(1, kOperationsPerGrain / std::max<std::int64_t>(cost_per_point, 1));
}

std::string print(const Kernel& k, const Schedule& s) {
  const Axis& axis = k.axes[static_cast<std::size_t>(s.vector_axis)];
  std::string text = fmt::format("vector axis {} ({}), {} lane{}", axis.name, axis.extent.to_string(), s.lanes,
                                 s.lanes == 1 ? "" : "s");
  if (s.reduction != Schedule::Reduction::none)
    text +=
        fmt::format(", reduction {}, {} phase{}, {} accumulator{}", s.horizontal() ? "across lanes" : "in each lane",
                    k.phases, k.phases == 1 ? "" : "s", s.accumulators, s.accumulators == 1 ? "" : "s");
  if (!s.tail) text += ", no tail";
  if (s.stream_from > 0) text += fmt::format(", past the caches from {} points", s.stream_from);
  return text + fmt::format(", {} points of about {} operations", s.points.to_string(), s.cost_per_point.to_string());
}

}  // namespace jitney::kernel
