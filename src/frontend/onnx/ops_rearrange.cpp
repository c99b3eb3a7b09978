// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
// Trilu, DepthToSpace, SpaceToDepth.
#include "frontend/onnx/registry.h"

namespace jitney::onnx {
namespace {

using ir::Dim;
using ir::Guard;
using ir::Op;
using ir::Shape;
using ir::ValueId;

Status trilu(NodeContext& c) {
  const bool upper = c.integer("upper", 1) != 0;
  const Shape& shape = c.shape(0);
  if (shape.size() < 2) return c.error("its input must have rank 2 or more, not {}", ir::to_string(shape));
  GraphBuilder& b = c.b;
  const Dim& rows = shape[shape.size() - 2];
  const Dim& columns = shape.back();
  const ValueId row = b.iota({rows, Dim(1)}, 0);
  const ValueId column = b.iota({Dim(1), columns}, 1);
  // Element (row, column) lies on diagonal column - row; those on k and to one side of it are kept.
  ValueId diagonal = row;
  if (c.has(1)) {
    const bool zero = c.known(1) && c.known(1)->values.size() == 1 && c.known(1)->values[0].is(0);
    if (!zero) diagonal = b.binary(Op::add, row, b.reshape(c.value(1), {}));
  }
  const ValueId keep = upper ? b.binary(Op::less_equal, diagonal, column) : b.binary(Op::less_equal, column, diagonal);
  return c.set(0, b.where(keep, c.value(0), b.scalar(0, c.dtype(0))));
}

Expected<std::int64_t> block_size(NodeContext& c) {
  if (c.rank(0) != 4) return c.error("its input must be [n, c, h, w], not {}", ir::to_string(c.shape(0)));
  const std::int64_t block = c.integer("blocksize", 0);
  if (block < 1 || block > 1 << 15) return c.error("blocksize is {}; it must be 1 or more", block);
  return block;
}

/// extent / divisor, and a guard where it cannot be seen that it divides.
Dim part(NodeContext& c, const Dim& extent, std::int64_t divisor) {
  c.b.require(Guard::Relation::divides, Dim(divisor), extent,
              fmt::format("{}: {} must be a multiple of {}", c.label(), extent.to_string(), divisor));
  return Dim::floordiv(extent, Dim(divisor));
}

Status depth_to_space(NodeContext& c) {
  JITNEY_TRY(const std::int64_t size, block_size(c));
  const std::string mode = c.text("mode", "DCR");
  if (mode != "DCR" && mode != "CRD") return c.error("mode is '{}'; DCR and CRD are allowed", mode);
  const Shape x = c.shape(0);
  const Dim block(size);
  const Dim depth = part(c, x[1], size * size);
  GraphBuilder& b = c.b;
  const ValueId moved =
      mode == "DCR" ? b.permute(b.reshape(c.value(0), {x[0], block, block, depth, x[2], x[3]}), {0, 3, 4, 1, 5, 2})
                    : b.permute(b.reshape(c.value(0), {x[0], depth, block, block, x[2], x[3]}), {0, 1, 4, 2, 5, 3});
  return c.set(0, b.reshape(moved, {x[0], depth, x[2] * block, x[3] * block}));
}

Status space_to_depth(NodeContext& c) {
  JITNEY_TRY(const std::int64_t size, block_size(c));
  const std::string mode = c.text("mode", "DCR");
  if (mode != "DCR" && mode != "CRD") return c.error("mode is '{}'; DCR and CRD are allowed", mode);
  const Shape x = c.shape(0);
  const Dim block(size);
  const Dim height = part(c, x[2], size);
  const Dim width = part(c, x[3], size);
  GraphBuilder& b = c.b;
  const ValueId blocks = b.reshape(c.value(0), {x[0], x[1], height, block, width, block});
  const ValueId moved = b.permute(blocks, mode == "DCR" ? std::vector<std::int64_t>{0, 3, 5, 1, 2, 4}
                                                        : std::vector<std::int64_t>{0, 1, 3, 5, 2, 4});
  return c.set(0, b.reshape(moved, {x[0], x[1] * block * block, height, width}));
}

}  // namespace

std::span<const OperatorRow> rearrange_operators() {
  static constexpr OperatorRow kRows[] = {
      {"Trilu", 14, 1, 2, trilu},
      {"DepthToSpace", 1, 1, 1, depth_to_space},
      {"SpaceToDepth", 1, 1, 1, space_to_depth},
  };
  return kRows;
}

}  // namespace jitney::onnx
