// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "ir/graph.h"

namespace jitney::ir {

/// One node about to be run. Its types were checked: the families below rely on dtypes, ranks and extents that fit.
struct NodeRun {
  const Node& node;
  const std::vector<const Tensor*>& inputs;  ///< null: an optional input that is absent
  const SymbolValues& symbols;
  Tensor& out;  ///< zero-filled, of the output's dtype and shape

  const Tensor& in(std::size_t i) const { return *inputs[i]; }
  bool has(std::size_t i) const { return i < inputs.size() && inputs[i] != nullptr; }
};

Status interpret_unary(const NodeRun& run);
Status interpret_binary(const NodeRun& run);
Status interpret_where(const NodeRun& run);
Status interpret_cast(const NodeRun& run);
Status interpret_source(const NodeRun& run);
Status interpret_view(const NodeRun& run);
Status interpret_pad(const NodeRun& run);
Status interpret_concat(const NodeRun& run);
Status interpret_gather(const NodeRun& run);
Status interpret_gather_elements(const NodeRun& run);
Status interpret_gather_nd(const NodeRun& run);
Status interpret_gather_grid(const NodeRun& run);
Status interpret_scatter(const NodeRun& run);
Status interpret_top_k(const NodeRun& run);
Status interpret_scan(const NodeRun& run);
Status interpret_reduce(const NodeRun& run);
Status interpret_normalize(const NodeRun& run);
Status interpret_matmul(const NodeRun& run);
Status interpret_conv(const NodeRun& run);
Status interpret_conv_transpose(const NodeRun& run);
Status interpret_attention(const NodeRun& run);
Status interpret_pool(const NodeRun& run);

/// Hosted operators (ir/hosted.h), which find out what their outputs' extents are. NodeRun::out is not used.
Expected<std::vector<Tensor>> interpret_hosted(const NodeRun& run);
/// branch, loop and stage.
Expected<std::vector<Tensor>> interpret_control(const Node& node, const std::vector<const Tensor*>& inputs,
                                                const SymbolValues& symbols);

}  // namespace jitney::ir
