// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "ir/element.h"
#include "ir/interpret_internal.h"
#include "ir/window.h"

namespace jitney::ir {
namespace {

/// Adds one input channel, weighted by one kernel, to the sums of one output channel. The innermost axis is a plain
/// loop; the others are walked. Positions outside the input are left out.
template <class A>
void add_channel(const A* x, const A* w, const std::vector<WindowAxis>& axes, std::vector<A>& sums) {
  const std::size_t outer = axes.size() - 1;
  const WindowAxis& line = axes.back();
  Extents out_outer, kernel_outer;
  for (std::size_t i = 0; i < outer; ++i) {
    out_outer.push_back(axes[i].out);
    kernel_outer.push_back(axes[i].kernel);
  }
  const Extents none(outer, 0);
  StridedWalk tap(kernel_outer, none);
  const std::int64_t taps = count(kernel_outer, 0, outer), lines = count(out_outer, 0, outer);
  for (std::int64_t t = 0; t < taps; ++t, tap.next(), w += line.kernel) {
    StridedWalk at(out_outer, none);
    for (std::int64_t l = 0; l < lines; ++l, at.next()) {
      std::int64_t row = 0;
      bool inside = true;
      for (std::size_t i = 0; i < outer; ++i) {
        const std::int64_t index = axes[i].at(at.index()[i], tap.index()[i]);
        inside = inside && axes[i].is_inside(index);
        row = row * axes[i].in + index;
      }
      if (!inside) continue;
      for (std::int64_t p = 0; p < line.kernel; ++p) {
        const A factor = w[p];
        const std::int64_t last = line.last(p);
        for (std::int64_t o = line.first(p); o < last; ++o) {
          sums[static_cast<std::size_t>(l * line.out + o)] += factor * x[row * line.in + line.at(o, p)];
        }
      }
    }
  }
}

}  // namespace

Status interpret_conv(const NodeRun& run) {
  if (run.out.num_elements() == 0) return {};
  const Extents &x = run.in(0).shape(), &w = run.in(1).shape(), &y = run.out.shape();
  const Extents kernel(w.begin() + 2, w.end());
  const auto axes = window_axes(run.node, x, y, kernel);
  const std::int64_t in_size = count(x, 2, x.size()), out_size = count(y, 2, y.size()), taps = count(w, 2, w.size());
  const std::int64_t groups = run.node.integer("groups"), in_group = w[1], out_group = w[0] / groups;
  return with_element(run.out.dtype(), [&]<class T>(T) -> Status {
    using A = Accumulator<T>;
    std::vector<A> input(static_cast<std::size_t>(x[1] * in_size)), weights(static_cast<std::size_t>(in_group * taps)),
        sums(static_cast<std::size_t>(out_size));
    T* out = run.out.as<T>();
    for (std::int64_t n = 0; n < y[0]; ++n) {
      const T* image = run.in(0).as<T>() + n * x[1] * in_size;
      for (std::size_t i = 0; i < input.size(); ++i) input[i] = static_cast<A>(load(image[i]));
      for (std::int64_t o = 0; o < w[0]; ++o, out += out_size) {
        const T* filter = run.in(1).as<T>() + o * in_group * taps;
        for (std::size_t i = 0; i < weights.size(); ++i) weights[i] = static_cast<A>(load(filter[i]));
        std::fill(sums.begin(), sums.end(), run.has(2) ? static_cast<A>(load(run.in(2).as<T>()[o])) : A{0});
        for (std::int64_t c = 0; c < in_group; ++c) {
          add_channel(input.data() + (o / out_group * in_group + c) * in_size, weights.data() + c * taps, axes, sums);
        }
        for (std::int64_t i = 0; i < out_size; ++i) out[i] = store<T>(sums[static_cast<std::size_t>(i)]);
      }
    }
    return {};
  });
}

}  // namespace jitney::ir
