// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

#include "ir/element.h"
#include "ir/interpret_internal.h"
#include "ir/strided.h"

namespace jitney::ir {

Status interpret_attention(const NodeRun& run) {
  // Without keys nothing is added up, and the result is 0: what a softmax of nothing and a product make of it.
  if (run.out.num_elements() == 0 || run.in(2).num_elements() == 0) return {};
  const Extents &q = run.in(0).shape(), &k = run.in(1).shape(), &y = run.out.shape();
  const std::size_t rank = y.size();
  const std::int64_t m = q[rank - 2], n = k[rank - 2], d = q[rank - 1], e = y[rank - 1];
  const double scale = run.node.real("scale");
  Extents whole(y.begin(), y.end() - 2), scores = whole;
  scores.insert(scores.end(), {m, n});
  // Offsets of each operand's matrix; the mask's of each element.
  auto outer = [&](const Extents& shape) {
    Extents strides = *broadcast_strides(Extents(shape.begin(), shape.end() - 2), whole);
    const std::int64_t matrix = shape[rank - 2] * shape[rank - 1];
    for (auto& s : strides) s *= matrix;
    return strides;
  };
  const Extents q_steps = outer(q), k_steps = outer(k), v_steps = outer(run.in(2).shape());
  const std::optional<Extents> mask_strides =
      run.has(3) ? broadcast_strides(run.in(3).shape(), scores) : Extents(rank, 0);
  if (!mask_strides) return user_error("the mask of '{}' does not fit its scores", run.node.name);
  const Extents& mask_steps = *mask_strides;
  return with_element(run.out.dtype(), [&]<class T>(T) -> Status {
    if constexpr (kIsFloating<T>) {
      std::vector<double> row(static_cast<std::size_t>(n));
      StridedWalk at_q(whole, q_steps), at_k(whole, k_steps), at_v(whole, v_steps);
      const Extents mask_outer(mask_steps.begin(), mask_steps.end() - 2);
      StridedWalk at_mask(whole, mask_outer);
      T* out = run.out.as<T>();
      const std::int64_t heads = count(whole, 0, whole.size());
      for (std::int64_t h = 0; h < heads; ++h, at_q.next(), at_k.next(), at_v.next(), at_mask.next()) {
        for (std::int64_t i = 0; i < m; ++i, out += e) {
          double most = -std::numeric_limits<double>::infinity(), sum = 0;
          for (std::int64_t j = 0; j < n; ++j) {
            double s = 0;
            for (std::int64_t c = 0; c < d; ++c)
              s += static_cast<double>(load(run.in(0).as<T>()[at_q.offset() + i * d + c])) *
                   static_cast<double>(load(run.in(1).as<T>()[at_k.offset() + j * d + c]));
            s *= scale;
            if (run.has(3)) {
              const std::int64_t at = at_mask.offset() + i * mask_steps[rank - 2] + j * mask_steps[rank - 1];
              s += run.in(3).dtype() == DType::f32 ? static_cast<double>(run.in(3).as<float>()[at])
                                                   : static_cast<double>(load(run.in(3).as<T>()[at]));
            }
            row[static_cast<std::size_t>(j)] = s;
            most = std::max(most, s);
          }
          for (auto& s : row) sum += s = std::exp(s - most);
          for (std::int64_t c = 0; c < e; ++c) {
            double total = 0;
            for (std::int64_t j = 0; j < n; ++j)
              total += row[static_cast<std::size_t>(j)] *
                       static_cast<double>(load(run.in(2).as<T>()[at_v.offset() + j * e + c]));
            out[c] = store<T>(total / sum);
          }
        }
      }
      return {};
    } else {
      return internal_error("attention of {}", to_string(run.out.dtype()));
    }
  });
}

}  // namespace jitney::ir
