// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include "ir/element.h"
#include "ir/interpret_internal.h"
#include "ir/strided.h"

namespace jitney::ir {
namespace {

/// How to reach the elements that one output element is made of.
struct Layout {
  Extents kept_shape, kept_strides;        // of the input, one step an output element
  Extents reduced_shape, reduced_strides;  // of the input, within one output element
  std::int64_t reduced = 1;
};

Layout layout(const NodeRun& run) {
  const Extents& shape = run.in(0).shape();
  const Extents strides = row_major_strides(shape);
  const auto& axes = run.node.integers("axes");
  Layout l;
  for (std::size_t axis = 0; axis < shape.size(); ++axis) {
    const bool is_reduced = std::binary_search(axes.begin(), axes.end(), static_cast<std::int64_t>(axis));
    (is_reduced ? l.reduced_shape : l.kept_shape).push_back(shape[axis]);
    (is_reduced ? l.reduced_strides : l.kept_strides).push_back(strides[axis]);
  }
  l.reduced = count(l.reduced_shape, 0, l.reduced_shape.size());
  return l;
}

/// reduce_max and reduce_min: NaN wins.
template <class T>
T extreme(Op op, const T* x, const Layout& l, std::int64_t offset) {
  using C = Compute<T>;
  C best = op == Op::reduce_max ? lowest<T>() : highest<T>();
  StridedWalk at(l.reduced_shape, l.reduced_strides, offset);
  for (std::int64_t i = 0; i < l.reduced; ++i, at.next()) {
    const C v = load(x[at.offset()]);
    if (v != v || (op == Op::reduce_max ? v > best : v < best)) best = v;
    if (best != best) break;
  }
  return store<T>(best);
}

template <class T>
T accumulate(Op op, const T* x, const Layout& l, std::int64_t offset) {
  using A = Accumulator<T>;
  A sum = op == Op::reduce_prod ? 1 : 0;
  StridedWalk at(l.reduced_shape, l.reduced_strides, offset);
  for (std::int64_t i = 0; i < l.reduced; ++i, at.next()) {
    const A v = static_cast<A>(load(x[at.offset()]));
    sum = op == Op::reduce_prod ? sum * v : sum + v;
  }
  if (op == Op::reduce_mean) {
    using C = Compute<T>;  // a signed sum is divided as one
    if constexpr (kIsFloating<T>) {
      return store<T>(sum / static_cast<double>(l.reduced));
    } else {
      return store<T>(l.reduced == 0 ? C{0} : static_cast<C>(sum) / static_cast<C>(l.reduced));
    }
  }
  return store<T>(sum);
}

/// The first index (or last) of the largest or smallest; of NaN, if there is one.
template <class T>
std::int64_t arg(Op op, bool last, const T* x, const Layout& l, std::int64_t offset) {
  using C = Compute<T>;
  std::int64_t best_at = 0;
  C best = load(x[offset]);
  for (std::int64_t i = 1; i < l.reduced; ++i) {
    const C v = load(x[offset + i * l.reduced_strides[0]]);
    const bool equal = v == best || (v != v && best != best);
    const bool better = best == best && (v != v || (op == Op::arg_max ? v > best : v < best));
    if (better || (last && equal)) {
      best = v;
      best_at = i;
    }
  }
  return best_at;
}

}  // namespace

Status interpret_reduce(const NodeRun& run) {
  const Op op = run.node.op;
  const bool is_arg = op == Op::arg_max || op == Op::arg_min;
  const Layout l = layout(run);
  const std::int64_t n = run.out.num_elements();
  if (is_arg && l.reduced == 0 && n != 0)
    return user_error("axis {} is empty and has no index", run.node.integers("axes")[0]);
  return with_element(run.in(0).dtype(), [&]<class T>(T) -> Status {
    const T* x = run.in(0).as<T>();
    StridedWalk at(l.kept_shape, l.kept_strides);
    for (std::int64_t i = 0; i < n; ++i, at.next()) {
      if (is_arg) {
        run.out.as<std::int64_t>()[i] = arg(op, run.node.integer("last") != 0, x, l, at.offset());
      } else if (op == Op::reduce_max || op == Op::reduce_min) {
        run.out.as<T>()[i] = extreme(op, x, l, at.offset());
      } else {
        run.out.as<T>()[i] = accumulate(op, x, l, at.offset());
      }
    }
    return {};
  });
}

}  // namespace jitney::ir
