// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

namespace jitney::ir {

using Extents = std::vector<std::int64_t>;

/// Elements to step for the next index along each axis of a contiguous tensor.
Extents row_major_strides(const Extents& shape);

/// Strides that read `from` as if it had shape `to`, numpy broadcasting: 0 where an extent is repeated.
/// Nothing where the shapes do not broadcast.
std::optional<Extents> broadcast_strides(const Extents& from, const Extents& to);

/// The product of extents [begin, end). Saturates, which can only be where another extent is 0 and nothing is counted.
std::int64_t count(const Extents& shape, std::size_t begin, std::size_t end);

/// Walks all indices of a shape in row-major order and keeps the offset that strides give.
class StridedWalk {
 public:
  StridedWalk(const Extents& shape, const Extents& strides, std::int64_t offset = 0)
      : shape_(shape), strides_(strides), index_(shape.size(), 0), offset_(offset) {}

  std::int64_t offset() const { return offset_; }
  const Extents& index() const { return index_; }

  void next() {
    for (std::size_t axis = shape_.size(); axis-- > 0;) {
      offset_ += strides_[axis];
      if (++index_[axis] < shape_[axis]) return;
      offset_ -= strides_[axis] * shape_[axis];
      index_[axis] = 0;
    }
  }

 private:
  const Extents& shape_;
  const Extents& strides_;
  Extents index_;
  std::int64_t offset_;
};

}  // namespace jitney::ir
