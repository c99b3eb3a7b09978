// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "ir/element.h"
#include "ir/interpret_internal.h"
#include "ir/strided.h"

namespace jitney::ir {
namespace {

/// One matrix of a batch, converted once.
template <class T, class A>
void read(const T* from, std::vector<A>& to) {
  for (std::size_t i = 0; i < to.size(); ++i) to[i] = static_cast<A>(load(from[i]));
}

Extents batch_of(const Extents& shape) {
  return {shape.begin(), shape.end() - std::min<std::ptrdiff_t>(2, std::ssize(shape))};
}

}  // namespace

Status interpret_matmul(const NodeRun& run) {
  const Extents &a = run.in(0).shape(), &b = run.in(1).shape();
  const std::int64_t m = a.size() > 1 ? a[a.size() - 2] : 1, k = a.back(), n = b.size() > 1 ? b.back() : 1;
  const std::int64_t matrix = m * n;
  if (run.out.num_elements() == 0) return {};
  const std::size_t outer = run.out.shape().size() - (a.size() > 1) - (b.size() > 1);
  const Extents batch(run.out.shape().begin(), run.out.shape().begin() + static_cast<std::ptrdiff_t>(outer));
  const auto a_strides = broadcast_strides(batch_of(a), batch), b_strides = broadcast_strides(batch_of(b), batch);
  if (!a_strides || !b_strides) return internal_error("its batch extents do not broadcast to its output's");
  return with_element(run.out.dtype(), [&]<class T>(T) -> Status {
    using A = Accumulator<T>;
    std::vector<A> left(static_cast<std::size_t>(m * k)), right(static_cast<std::size_t>(k * n)),
        sums(static_cast<std::size_t>(n));
    StridedWalk at_a(batch, *a_strides), at_b(batch, *b_strides);
    T* y = run.out.as<T>();
    std::int64_t right_is = -1;  // which matrix `right` holds
    const std::int64_t batches = run.out.num_elements() / matrix;
    for (std::int64_t i = 0; i < batches; ++i, at_a.next(), at_b.next()) {
      if (left.empty()) {  // k is 0, so that there is nothing to read, and the sums stay 0
        y += matrix;
        continue;
      }
      read(run.in(0).as<T>() + at_a.offset() * m * k, left);
      if (right_is != at_b.offset()) read(run.in(1).as<T>() + at_b.offset() * k * n, right);
      right_is = at_b.offset();
      for (std::int64_t row = 0; row < m; ++row, y += n) {
        std::fill(sums.begin(), sums.end(), A{0});
        for (std::int64_t p = 0; p < k; ++p) {
          const A factor = left[static_cast<std::size_t>(row * k + p)];
          const A* line = right.data() + p * n;
          for (std::int64_t j = 0; j < n; ++j) sums[static_cast<std::size_t>(j)] += factor * line[j];
        }
        for (std::int64_t j = 0; j < n; ++j) y[j] = store<T>(sums[static_cast<std::size_t>(j)]);
      }
    }
    return {};
  });
}

}  // namespace jitney::ir
