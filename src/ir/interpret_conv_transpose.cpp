// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "ir/element.h"
#include "ir/interpret_internal.h"
#include "ir/strided.h"

namespace jitney::ir {
namespace {

/// Adds one input channel, spread by one kernel, to the sums of one output channel.
template <class A>
void spread_channel(const A* x, const Extents& in, const A* w, const Extents& kernel, const Node& node,
                    const Extents& out, std::vector<A>& sums) {
  const auto &strides = node.integers("strides"), &dilations = node.integers("dilations"),
             &pads = node.integers("pads");
  const Extents none(in.size(), 0);
  const std::int64_t points = count(in, 0, in.size()), taps = count(kernel, 0, kernel.size());
  StridedWalk at(in, none);
  for (std::int64_t i = 0; i < points; ++i, at.next()) {
    StridedWalk tap(kernel, none);
    for (std::int64_t t = 0; t < taps; ++t, tap.next()) {
      std::int64_t to = 0;
      bool is_inside = true;
      for (std::size_t d = 0; d < in.size(); ++d) {
        const std::int64_t index = at.index()[d] * strides[d] + tap.index()[d] * dilations[d] - pads[d];
        is_inside = is_inside && index >= 0 && index < out[d];
        to = to * out[d] + index;
      }
      if (is_inside) sums[static_cast<std::size_t>(to)] += w[t] * x[i];
    }
  }
}

}  // namespace

Status interpret_conv_transpose(const NodeRun& run) {
  if (run.out.num_elements() == 0) return {};
  const Extents &x = run.in(0).shape(), &w = run.in(1).shape(), &y = run.out.shape();
  const Extents in(x.begin() + 2, x.end()), kernel(w.begin() + 2, w.end()), out_extents(y.begin() + 2, y.end());
  const std::int64_t in_size = count(x, 2, x.size()), out_size = count(y, 2, y.size()), taps = count(w, 2, w.size());
  const std::int64_t groups = run.node.integer("groups"), in_group = w[0] / groups, out_group = w[1];
  return with_element(run.out.dtype(), [&]<class T>(T) -> Status {
    using A = Accumulator<T>;
    std::vector<A> input(static_cast<std::size_t>(x[1] * in_size)), weights(static_cast<std::size_t>(taps)),
        sums(static_cast<std::size_t>(out_size));
    T* out = run.out.as<T>();
    for (std::int64_t n = 0; n < y[0]; ++n) {
      const T* image = run.in(0).as<T>() + n * x[1] * in_size;
      for (std::size_t i = 0; i < input.size(); ++i) input[i] = static_cast<A>(load(image[i]));
      for (std::int64_t o = 0; o < y[1]; ++o, out += out_size) {
        std::fill(sums.begin(), sums.end(), run.has(2) ? static_cast<A>(load(run.in(2).as<T>()[o])) : A{0});
        for (std::int64_t i = 0; i < in_group; ++i) {
          const std::int64_t c = o / out_group * in_group + i;
          const T* filter = run.in(1).as<T>() + (c * out_group + o % out_group) * taps;
          for (std::size_t t = 0; t < weights.size(); ++t) weights[t] = static_cast<A>(load(filter[t]));
          spread_channel(input.data() + c * in_size, in, weights.data(), kernel, run.node, out_extents, sums);
        }
        for (std::int64_t i = 0; i < out_size; ++i) out[i] = store<T>(sums[static_cast<std::size_t>(i)]);
      }
    }
    return {};
  });
}

}  // namespace jitney::ir
