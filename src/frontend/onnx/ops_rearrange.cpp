// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
// Trilu, DepthToSpace, SpaceToDepth, CenterCropPad, Col2Im.
#include <algorithm>

#include "frontend/onnx/arithmetic.h"
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

/// Each axis is cut or padded with zeros at both ends, where the odd element counts for the end.
Status center_crop_pad(NodeContext& c) {
  GraphBuilder& b = c.b;
  JITNEY_TRY(const auto wanted, c.dims(1, "the shape"));
  std::vector<std::int64_t> axes = axes_from(0, c.rank(0));
  if (auto given = c.integer_list("axes")) axes = *given;
  JITNEY_CHECK(c.axes(axes, c.rank(0)));
  if (axes.size() != wanted.size()) return c.error("its shape has {} entries for {} axes", wanted.size(), axes.size());
  Shape to = c.shape(0);
  std::vector<Dim> before(to.size(), Dim(0));
  for (std::size_t i = 0; i < axes.size(); ++i) {
    JITNEY_TRY(const int axis, c.axis(axes[i], c.rank(0)));
    const auto at = static_cast<std::size_t>(axis);
    b.require(Guard::Relation::less_equal, Dim(0), wanted[i],
              fmt::format("{}: its shape has the extent {}", c.label(), wanted[i].to_string()));
    const Dim more = max_of(wanted[i] - to[at], Dim(0), b.symbols()),
              fewer = max_of(to[at] - wanted[i], Dim(0), b.symbols());
    before[at] = Dim::floordiv(more, Dim(2)) - Dim::floordiv(fewer, Dim(2));
    to[at] = wanted[i];
  }
  if (to == c.shape(0)) return c.set(0, c.input_pointer(0));
  return c.set(0, b.typed_node(Op::pad, {c.value(0)}, c.dtype(0), std::move(to),
                               {{"before", std::move(before)}, {"value", 0.0}, {"mode", std::string("constant")}}));
}

/// Columns [n, c product(block), blocks], added up where they overlap: a transposed convolution with kernels that each
/// have a single 1.
Status column_to_image(NodeContext& c) {
  GraphBuilder& b = c.b;
  using Integers = std::vector<std::int64_t>;
  JITNEY_TRY(const auto image, c.dims(1, "image_shape"));
  JITNEY_TRY(const Integers block, c.integers(2, "block_shape"));
  const std::size_t spatial = block.size();
  const Integers strides = c.integer_list("strides").value_or(Integers(spatial, 1));
  const Integers dilations = c.integer_list("dilations").value_or(Integers(spatial, 1));
  Integers pads = c.integer_list("pads").value_or(Integers(2 * spatial, 0));
  if (c.rank(0) != 3 || spatial < 1 || spatial > 3 || image.size() != spatial || strides.size() != spatial ||
      dilations.size() != spatial || pads.size() != 2 * spatial)
    return c.error(
        "its input {}, image_shape, block_shape, strides, dilations and pads do not fit each other; images of 1 to 3 "
        "axes are supported",
        ir::to_string(c.shape(0)));
  std::int64_t taps = 1;
  Shape blocks;
  for (std::size_t i = 0; i < spatial; ++i) {
    if (block[i] < 1 || block[i] > 1 << 10 || strides[i] < 1 || dilations[i] < 1 || pads[i] < 0 ||
        pads[spatial + i] < 0)
      return c.error("block_shape, strides and dilations must be 1 or more and pads 0 or more");
    taps *= block[i];
    const std::int64_t reach = dilations[i] * (block[i] - 1) + 1;
    const Dim room = image[i] + Dim(pads[i] + pads[spatial + i] - reach);
    blocks.push_back(Dim::floordiv(room, Dim(strides[i])) + Dim(1));
    // What the last block does not reach is zero: padding that is not cut off.
    const auto rest = Dim::mod(room, Dim(strides[i])).constant();
    if (!rest) return c.error("image_shape must be constant where strides are above 1");
    pads[spatial + i] -= *rest;
  }
  if (taps > 1 << 12) return c.error("its blocks have {} elements", taps);
  const Shape shape = c.shape(0);
  const Dim channels = part(c, shape[1], taps), planes = shape[0] * channels;
  Shape apart{planes, Dim(taps)}, whole{shape[0], channels};
  apart.insert(apart.end(), blocks.begin(), blocks.end());
  whole.insert(whole.end(), image.begin(), image.end());
  Integers kernel{taps, 1};
  kernel.insert(kernel.end(), block.begin(), block.end());
  Tensor ones(DType::f32, kernel);
  std::fill(ones.as<float>(), ones.as<float>() + taps * taps, 0.0f);
  for (std::int64_t i = 0; i < taps; ++i) ones.as<float>()[i * taps + i] = 1;
  const ValueId weight = b.cast(b.constant(c.node.output(0) + ".blocks", std::move(ones)), c.dtype(0));
  const ValueId y =
      b.node(Op::conv_transpose, {b.reshape(c.value(0), apart), weight},
             {{"strides", strides}, {"dilations", dilations}, {"pads", pads}, {"groups", std::int64_t{1}}});
  return c.set(0, b.reshape(y, whole));
}

}  // namespace

std::span<const OperatorRow> rearrange_operators() {
  static constexpr OperatorRow kRows[] = {
      {"Trilu", 14, 1, 2, trilu},
      {"DepthToSpace", 1, 1, 1, depth_to_space},
      {"SpaceToDepth", 1, 1, 1, space_to_depth},
      {"CenterCropPad", 18, 2, 2, center_crop_pad},
      {"Col2Im", 18, 3, 3, column_to_image},
  };
  return kRows;
}

}  // namespace jitney::onnx
