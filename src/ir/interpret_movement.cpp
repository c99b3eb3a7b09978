// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include <cstring>

#include "ir/element.h"
#include "ir/indices.h"
#include "ir/interpret_internal.h"
#include "ir/strided.h"

namespace jitney::ir {
namespace {

/// out = in read with these strides (elements) from this offset.
void copy_strided(const Tensor& in, const Extents& strides, std::int64_t offset, Tensor& out) {
  with_element(out.dtype(), [&]<class T>(T) {
    const T* from = in.as<T>();
    T* to = out.as<T>();
    StridedWalk at(out.shape(), strides, offset);
    const std::int64_t n = out.num_elements();
    for (std::int64_t i = 0; i < n; ++i, at.next()) to[i] = from[at.offset()];
  });
}

Status slice(const NodeRun& run) {
  const Extents& from = run.in(0).shape();
  JITNEY_TRY(const Extents starts, evaluate(run.node.dims("starts"), run.symbols));
  JITNEY_TRY(const Extents steps, evaluate(run.node.dims("steps"), run.symbols));
  if (run.out.num_elements() == 0) return {};
  Extents strides = row_major_strides(from);
  std::int64_t offset = 0;
  for (std::size_t axis = 0; axis < from.size(); ++axis) {
    const std::int64_t first = starts[axis], extent = run.out.shape()[axis];
    std::int64_t last = 0;
    const bool overflow =
        __builtin_mul_overflow(extent - 1, steps[axis], &last) || __builtin_add_overflow(last, first, &last);
    if (overflow || first < 0 || first >= from[axis] || last < 0 || last >= from[axis]) {
      return user_error("{} elements from {} in steps of {} are not all inside axis {}, which has extent {}", extent,
                        first, steps[axis], axis, from[axis]);
    }
    offset += first * strides[axis];
    // With one element the step is never taken, and may be huge.
    strides[axis] = extent == 1 ? 0 : strides[axis] * steps[axis];
  }
  copy_strided(run.in(0), strides, offset, run.out);
  return {};
}

}  // namespace

Status interpret_view(const NodeRun& run) {
  const Tensor& x = run.in(0);
  if (run.node.op == Op::slice) return slice(run);
  if (run.node.op == Op::reshape) {
    if (run.out.num_bytes() != 0) std::memcpy(run.out.data(), x.data(), run.out.num_bytes());
    return {};
  }
  Extents strides;
  if (run.node.op == Op::permute) {
    const Extents from = row_major_strides(x.shape());
    for (const std::int64_t axis : run.node.integers("perm")) strides.push_back(from[static_cast<std::size_t>(axis)]);
  } else {
    const auto expanded = broadcast_strides(x.shape(), run.out.shape());
    if (!expanded) return internal_error("its input does not broadcast to its output");
    strides = *expanded;
  }
  copy_strided(x, strides, 0, run.out);
  return {};
}

Status interpret_source(const NodeRun& run) {
  auto* out = run.out.as<std::int64_t>();
  if (run.node.op == Op::dims) {
    JITNEY_TRY(const Extents values, evaluate(run.node.dims("values"), run.symbols));
    for (std::size_t i = 0; i < values.size(); ++i) out[i] = values[i];
    return {};
  }
  Extents strides(run.out.shape().size(), 0);  // iota: the offset is the index along the axis
  strides[static_cast<std::size_t>(run.node.integer("axis"))] = 1;
  StridedWalk at(run.out.shape(), strides);
  const std::int64_t n = run.out.num_elements();
  for (std::int64_t i = 0; i < n; ++i, at.next()) out[i] = at.offset();
  return {};
}

Status interpret_concat(const NodeRun& run) {
  const auto axis = static_cast<std::size_t>(run.node.integer("axis"));
  const Extents& shape = run.out.shape();
  if (run.out.num_elements() == 0) return {};
  const std::int64_t outer = count(shape, 0, axis);
  const auto element = static_cast<std::int64_t>(size_of(run.out.dtype()));
  const std::int64_t inner = count(shape, axis + 1, shape.size()) * element;
  auto* to = run.out.as<std::byte>();
  for (std::int64_t o = 0; o < outer; ++o) {
    for (const Tensor* x : run.inputs) {
      const std::int64_t bytes = x->shape()[axis] * inner;
      if (bytes == 0) continue;
      std::memcpy(to, x->as<std::byte>() + o * bytes, static_cast<std::size_t>(bytes));
      to += bytes;
    }
  }
  return {};
}

Status interpret_gather(const NodeRun& run) {
  const Tensor &data = run.in(0), &indices = run.in(1);
  const auto axis = static_cast<std::size_t>(run.node.integer("axis"));
  const std::int64_t extent = data.shape()[axis], picked = indices.num_elements();
  if (run.out.num_elements() == 0) return {};
  const std::int64_t outer = count(data.shape(), 0, axis);
  const std::int64_t bytes =
      count(data.shape(), axis + 1, data.shape().size()) * static_cast<std::int64_t>(size_of(data.dtype()));
  auto* to = run.out.as<std::byte>();
  for (std::int64_t o = 0; o < outer; ++o) {
    for (std::int64_t i = 0; i < picked; ++i, to += bytes) {
      JITNEY_TRY(const std::int64_t index, checked_index(indices, i, extent, axis));
      std::memcpy(to, data.as<std::byte>() + (o * extent + index) * bytes, static_cast<std::size_t>(bytes));
    }
  }
  return {};
}

}  // namespace jitney::ir
