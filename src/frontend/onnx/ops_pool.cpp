// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include <numeric>

#include "frontend/onnx/max_pool_indices.h"
#include "frontend/onnx/registry.h"
#include "frontend/onnx/window.h"

namespace jitney::onnx {
namespace {

using ir::Op;

Status pool(NodeContext& c, Op op, ir::Attributes attributes) {
  const auto kernel = c.integer_list("kernel_shape");
  if (!kernel) return c.error("attribute 'kernel_shape' is missing");
  const bool ceil = c.integer("ceil_mode", 0) != 0;
  JITNEY_TRY(Window w, read_window(c, c.shape(0), *kernel));
  ir::Shape shape = pooled_shape(c, c.shape(0), w, ceil);
  attributes.insert({{"kernel", w.kernel}, {"strides", w.strides}, {"dilations", w.dilations}, {"pads", w.pads}});
  return c.set(0, c.b.typed_node(op, {c.value(0)}, c.dtype(0), std::move(shape), std::move(attributes)));
}

Status max_pool(NodeContext& c) {
  const bool column_major = c.integer("storage_order", 0) != 0;
  if (c.wants_output(1)) {
    const auto kernel = c.integer_list("kernel_shape");
    if (!kernel) return c.error("attribute 'kernel_shape' is missing");
    const bool ceil = c.integer("ceil_mode", 0) != 0;
    JITNEY_TRY(const Window w, read_window(c, c.shape(0), *kernel));
    JITNEY_CHECK(set_max_pool_indices(c, w, pooled_shape(c, c.shape(0), w, ceil), column_major));
  }
  return pool(c, Op::max_pool, {});
}

Status average_pool(NodeContext& c) {
  const std::int64_t include = c.integer("count_include_pad", 0) != 0;
  return pool(c, Op::avg_pool, {{"include_pad", include}});
}

template <Op op>
Status global(NodeContext& c) {
  if (c.rank(0) < 3) return c.error("its input must be [n, c, spatial...], not {}", ir::to_string(c.shape(0)));
  std::vector<std::int64_t> axes(static_cast<std::size_t>(c.rank(0) - 2));
  std::iota(axes.begin(), axes.end(), 2);
  return c.set(0, c.b.reduce(op, c.value(0), std::move(axes), true));
}

}  // namespace

std::span<const OperatorRow> pool_operators() {
  static constexpr OperatorRow kRows[] = {
      {"MaxPool", 1, 1, 1, max_pool},
      {"AveragePool", 1, 1, 1, average_pool},
      {"GlobalAveragePool", 1, 1, 1, global<Op::reduce_mean>},
      {"GlobalMaxPool", 1, 1, 1, global<Op::reduce_max>},
  };
  return kRows;
}

}  // namespace jitney::onnx
