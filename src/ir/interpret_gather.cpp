// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
// gather_elements, gather_nd and gather_grid.
#include <cstring>

#include "ir/indices.h"
#include "ir/interpret_internal.h"
#include "ir/strided.h"

namespace jitney::ir {
namespace {

void copy_bytes(std::byte*& to, const Tensor& from, std::int64_t element, std::int64_t count) {
  const auto size = static_cast<std::int64_t>(size_of(from.dtype()));
  std::memcpy(to, from.as<std::byte>() + element * size, static_cast<std::size_t>(count * size));
  to += count * size;
}

}  // namespace

Status interpret_gather_elements(const NodeRun& run) {
  const Tensor &data = run.in(0), &indices = run.in(1);
  const auto axis = static_cast<std::size_t>(run.node.integer("axis"));
  const std::int64_t n = run.out.num_elements();
  Extents strides = row_major_strides(data.shape());
  const std::int64_t step = strides[axis];
  strides[axis] = 0;
  StridedWalk at(indices.shape(), strides);
  auto* to = run.out.as<std::byte>();
  for (std::int64_t i = 0; i < n; ++i, at.next()) {
    JITNEY_TRY(const std::int64_t index, checked_index(indices, i, data.shape()[axis], axis));
    copy_bytes(to, data, at.offset() + index * step, 1);
  }
  return {};
}

Status interpret_gather_nd(const NodeRun& run) {
  const Tensor &data = run.in(0), &indices = run.in(1);
  const auto batch = static_cast<std::size_t>(run.node.integer("batch"));
  if (run.out.num_elements() == 0) return {};
  const auto k = static_cast<std::size_t>(indices.shape().back());
  const Extents strides = row_major_strides(data.shape());
  const std::int64_t tuples = count(indices.shape(), 0, indices.shape().size() - 1);
  const std::int64_t per_batch = count(indices.shape(), batch, indices.shape().size() - 1);
  const std::int64_t block = count(data.shape(), batch, data.shape().size());
  const std::int64_t rest = count(data.shape(), batch + k, data.shape().size());
  auto* to = run.out.as<std::byte>();
  for (std::int64_t i = 0; i < tuples; ++i) {
    JITNEY_TRY(const std::int64_t offset, tuple_offset(indices, i, data.shape(), strides, batch));
    copy_bytes(to, data, i / per_batch * block + offset, rest);
  }
  return {};
}

Status interpret_gather_grid(const NodeRun& run) {
  const Tensor& data = run.in(0);
  const auto& axes = run.node.integers("axes");
  const std::int64_t n = run.out.num_elements();
  if (n == 0) return {};
  Extents plain = row_major_strides(data.shape());
  std::vector<Extents> offsets;  // of each index of each of the axes
  for (std::size_t a = 0; a < axes.size(); ++a) {
    const auto axis = static_cast<std::size_t>(axes[a]);
    Extents& list = offsets.emplace_back();
    for (std::int64_t i = 0; i < run.in(a + 1).num_elements(); ++i) {
      JITNEY_TRY(const std::int64_t index, checked_index(run.in(a + 1), i, data.shape()[axis], axis));
      list.push_back(index * plain[axis]);
    }
    plain[axis] = 0;
  }
  StridedWalk at(run.out.shape(), plain);
  auto* to = run.out.as<std::byte>();
  for (std::int64_t i = 0; i < n; ++i, at.next()) {
    std::int64_t offset = at.offset();
    for (std::size_t a = 0; a < axes.size(); ++a)
      offset += offsets[a][static_cast<std::size_t>(at.index()[static_cast<std::size_t>(axes[a])])];
    copy_bytes(to, data, offset, 1);
  }
  return {};
}

}  // namespace jitney::ir
