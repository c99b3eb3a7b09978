// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
// scatter_elements and scatter_nd: a copy of data, then one update after the other. Where two updates meet the same
// element the later one counts, or both are combined in order.
#include <cmath>
#include <cstring>

#include "ir/element.h"
#include "ir/indices.h"
#include "ir/interpret_internal.h"

namespace jitney::ir {
namespace {

template <class T>
void combine(T& into, T update, const std::string& mode) {
  if (mode == "none") {
    into = update;
    return;
  }
  using A = Accumulator<T>;
  const auto a = load(into), b = load(update);
  if (mode == "add") {
    into = store<T>(static_cast<A>(a) + static_cast<A>(b));
  } else if (mode == "mul") {
    into = store<T>(static_cast<A>(a) * static_cast<A>(b));
  } else {
    const bool better = mode == "max" ? b > a : b < a;
    if (better || b != b) into = update;  // NaN wins
  }
}

Status scatter_elements(const NodeRun& run) {
  const Tensor &data = run.in(0), &indices = run.in(1), &updates = run.in(2);
  const auto axis = static_cast<std::size_t>(run.node.integer("axis"));
  const std::string& mode = run.node.text("mode");
  Extents strides = row_major_strides(data.shape());
  const std::int64_t step = strides[axis], n = indices.num_elements();
  strides[axis] = 0;
  return with_element(data.dtype(), [&]<class T>(T) -> Status {
    StridedWalk at(indices.shape(), strides);
    for (std::int64_t i = 0; i < n; ++i, at.next()) {
      JITNEY_TRY(const std::int64_t index, checked_index(indices, i, data.shape()[axis], axis));
      combine(run.out.as<T>()[at.offset() + index * step], updates.as<T>()[i], mode);
    }
    return {};
  });
}

Status scatter_nd(const NodeRun& run) {
  const Tensor &data = run.in(0), &indices = run.in(1), &updates = run.in(2);
  const std::string& mode = run.node.text("mode");
  if (updates.num_elements() == 0) return {};
  const Extents strides = row_major_strides(data.shape());
  const std::int64_t tuples = count(indices.shape(), 0, indices.shape().size() - 1);
  const std::int64_t rest = count(data.shape(), static_cast<std::size_t>(indices.shape().back()), data.shape().size());
  return with_element(data.dtype(), [&]<class T>(T) -> Status {
    for (std::int64_t i = 0; i < tuples; ++i) {
      JITNEY_TRY(const std::int64_t offset, tuple_offset(indices, i, data.shape(), strides, 0));
      for (std::int64_t j = 0; j < rest; ++j) combine(run.out.as<T>()[offset + j], updates.as<T>()[i * rest + j], mode);
    }
    return {};
  });
}

}  // namespace

Status interpret_scatter(const NodeRun& run) {
  if (run.out.num_bytes() != 0) std::memcpy(run.out.data(), run.in(0).data(), run.out.num_bytes());
  return run.node.op == Op::scatter_nd ? scatter_nd(run) : scatter_elements(run);
}

}  // namespace jitney::ir
