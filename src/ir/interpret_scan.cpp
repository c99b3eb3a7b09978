// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "ir/element.h"
#include "ir/interpret_internal.h"
#include "ir/strided.h"

namespace jitney::ir {

Status interpret_scan(const NodeRun& run) {
  const Extents& shape = run.out.shape();
  const auto axis = static_cast<std::size_t>(run.node.integer("axis"));
  const bool exclusive = run.node.integer("exclusive") != 0;
  if (run.out.num_elements() == 0) return {};
  const std::int64_t n = shape[axis], inner = count(shape, axis + 1, shape.size()), outer = count(shape, 0, axis);
  return with_element(run.out.dtype(), [&]<class T>(T) -> Status {
    for (std::int64_t row = 0; row < outer * inner; ++row) {
      const std::int64_t base = row / inner * n * inner + row % inner;
      Accumulator<T> sum = 0;
      for (std::int64_t i = 0; i < n; ++i) {
        const std::int64_t at = base + i * inner;
        if (exclusive) run.out.as<T>()[at] = store<T>(sum);
        sum += static_cast<Accumulator<T>>(load(run.in(0).as<T>()[at]));
        if (!exclusive) run.out.as<T>()[at] = store<T>(sum);
      }
    }
    return {};
  });
}

}  // namespace jitney::ir
