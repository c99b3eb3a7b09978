// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <numeric>

#include "ir/element.h"
#include "ir/interpret_internal.h"
#include "ir/strided.h"

namespace jitney::ir {

Status interpret_top_k(const NodeRun& run) {
  const Extents& shape = run.in(0).shape();
  const auto axis = static_cast<std::size_t>(run.node.integer("axis"));
  const bool largest = run.node.integer("largest") != 0;
  const std::int64_t k = run.out.shape()[axis], n = shape[axis];
  if (k > n) return user_error("{} elements are wanted of {} along axis {}", k, n, axis);
  if (run.out.num_elements() == 0) return {};
  const std::int64_t inner = count(shape, axis + 1, shape.size()), outer = count(shape, 0, axis);
  return with_element(run.in(0).dtype(), [&]<class T>(T) -> Status {
    std::vector<std::int64_t> order(static_cast<std::size_t>(n));
    for (std::int64_t row = 0; row < outer * inner; ++row) {
      const T* x = run.in(0).as<T>() + row / inner * n * inner + row % inner;
      std::int64_t* y = run.out.as<std::int64_t>() + row / inner * k * inner + row % inner;
      std::iota(order.begin(), order.end(), 0);
      const auto before = [&](std::int64_t i, std::int64_t j) {
        const auto a = load(x[i * inner]), b = load(x[j * inner]);
        const bool a_nan = a != a, b_nan = b != b;
        if (a_nan != b_nan) return a_nan == largest;
        if (a_nan || a == b) return i < j;
        return largest ? a > b : a < b;
      };
      std::partial_sort(order.begin(), order.begin() + k, order.end(), before);
      for (std::int64_t i = 0; i < k; ++i) y[i * inner] = order[static_cast<std::size_t>(i)];
    }
    return {};
  });
}

}  // namespace jitney::ir
