// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "ir/element.h"
#include "ir/interpret_internal.h"
#include "ir/window.h"

namespace jitney::ir {
namespace {

/// max_pool: NaN wins; a window wholly in the padding gives what reduce_max of nothing gives.
/// avg_pool: the sum of the elements inside the input, divided by how many they are; with include_pad by how many
/// positions of the window are inside the padded input, which leaves out what only rounding up the extent added.
template <class T>
T pool(const NodeRun& run, const T* channel, const std::vector<WindowAxis>& axes, const Extents& kernel,
       const Extents& where) {
  using C = Compute<T>;
  const bool is_max = run.node.op == Op::max_pool;
  const bool include_pad = !is_max && run.node.integer("include_pad") != 0;
  C best = lowest<T>();
  double sum = 0;
  std::int64_t inside = 0, padded = 0;
  const Extents none(kernel.size(), 0);
  StridedWalk tap(kernel, none);
  const std::int64_t taps = count(kernel, 0, kernel.size());
  for (std::int64_t t = 0; t < taps; ++t, tap.next()) {
    std::int64_t offset = 0;
    bool is_inside = true, is_padded = true;
    for (std::size_t i = 0; i < axes.size(); ++i) {
      const std::int64_t index = axes[i].at(where[2 + i], tap.index()[i]);
      is_inside = is_inside && axes[i].is_inside(index);
      is_padded = is_padded && index < axes[i].in + axes[i].pad_end;
      offset = offset * axes[i].in + index;
    }
    padded += is_padded;
    if (!is_inside) continue;
    ++inside;
    const C v = load(channel[offset]);
    if (is_max) {
      if (v != v || v > best) best = v;
      if (best != best) break;
    } else {
      sum += static_cast<double>(v);
    }
  }
  return is_max ? store<T>(best) : store<T>(sum / static_cast<double>(include_pad ? padded : inside));
}

}  // namespace

Status interpret_pool(const NodeRun& run) {
  const Extents &x = run.in(0).shape(), &y = run.out.shape(), &kernel = run.node.integers("kernel");
  const auto axes = window_axes(run.node, x, y, kernel);
  const std::int64_t in_size = count(x, 2, x.size());
  const Extents none(y.size(), 0);
  return with_element(run.out.dtype(), [&]<class T>(T) -> Status {
    StridedWalk at(y, none);
    const std::int64_t n = run.out.num_elements();
    for (std::int64_t i = 0; i < n; ++i, at.next()) {
      const T* channel = run.in(0).as<T>() + (at.index()[0] * y[1] + at.index()[1]) * in_size;
      run.out.as<T>()[i] = pool(run, channel, axes, kernel, at.index());
    }
    return {};
  });
}

}  // namespace jitney::ir
