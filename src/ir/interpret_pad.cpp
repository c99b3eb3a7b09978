// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "ir/checked.h"
#include "ir/element.h"
#include "ir/interpret_internal.h"
#include "ir/strided.h"

namespace jitney::ir {
namespace {

/// Which input index an index before or after the input stands for; -1 for the pad value. extent > 0.
std::int64_t source(std::int64_t index, std::int64_t extent, const std::string& mode) {
  if (index >= 0 && index < extent) return index;
  if (mode == "constant") return -1;
  if (mode == "edge") return std::clamp<std::int64_t>(index, 0, extent - 1);
  if (mode == "wrap") return *floor_mod(index, extent);
  if (extent == 1) return 0;
  // reflect: 0 1 2 3 2 1 | 0 1 2 3 2 1 | ..., the edges not repeated
  const std::int64_t period = 2 * (extent - 1), within = *floor_mod(index, period);
  return within < extent ? within : period - within;
}

}  // namespace

Status interpret_pad(const NodeRun& run) {
  const Tensor& x = run.in(0);
  const Extents &from = x.shape(), &to = run.out.shape();
  const std::string& mode = run.node.text("mode");
  JITNEY_TRY(const Extents before, evaluate(run.node.dims("before"), run.symbols));
  if (run.out.num_elements() == 0) return {};
  // For each axis and output index the input index.
  std::vector<Extents> sources(to.size());
  for (std::size_t axis = 0; axis < to.size(); ++axis) {
    for (std::int64_t i = 0; i < to[axis]; ++i) {
      std::int64_t index = 0;
      if (__builtin_sub_overflow(i, before[axis], &index))
        return user_error("padding of {} is too large", before[axis]);
      if (from[axis] == 0 && mode != "constant") {
        return user_error("axis {} is empty, and mode '{}' has nothing to repeat", axis, mode);
      }
      sources[axis].push_back(source(index, from[axis], mode));
    }
  }
  const Extents strides = row_major_strides(from), none(to.size(), 0);
  return with_element(x.dtype(), [&]<class T>(T) -> Status {
    const T value = store<T>(run.node.real("value"));
    StridedWalk at(to, none);
    const std::int64_t n = run.out.num_elements();
    for (std::int64_t i = 0; i < n; ++i, at.next()) {
      std::int64_t offset = 0;
      bool inside = true;
      for (std::size_t axis = 0; axis < to.size(); ++axis) {
        const std::int64_t index = sources[axis][static_cast<std::size_t>(at.index()[axis])];
        inside = inside && index >= 0;
        offset += index * strides[axis];
      }
      run.out.as<T>()[i] = inside ? x.as<T>()[offset] : value;
    }
    return {};
  });
}

}  // namespace jitney::ir
