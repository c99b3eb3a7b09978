// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "frontend/onnx/registry.h"

#include <unordered_map>

namespace jitney::onnx {

const OperatorRow* find_operator(std::string_view name) {
  static const auto table = [] {
    std::unordered_map<std::string_view, const OperatorRow*> rows;
    for (const auto family : {arithmetic_operators(),     unary_operators(),
                              activation_operators(),     logic_operators(),
                              cast_operators(),           reduce_operators(),
                              normalize_operators(),      contract_operators(),
                              pool_operators(),           reshape_operators(),
                              movement_operators(),       slice_operators(),
                              shape_operators(),          rearrange_operators(),
                              index_operators(),          order_operators(),
                              resize_operators(),         random_operators(),
                              quantize_operators(),       quantized_operators(),
                              loss_operators(),           einsum_operators(),
                              attention_operators(),      decoder_operators(),
                              signal_operators(),         window_function_operators(),
                              pool_more_operators(),      sample_operators(),
                              linear_algebra_operators(), linear_attention_operators(),
                              recurrent_operators(),      dynamic_operators(),
                              sequence_operators()}) {
      for (const OperatorRow& row : family) rows.emplace(row.name, &row);
    }
    return rows;
  }();
  const auto found = table.find(name);
  return found == table.end() ? nullptr : found->second;
}

bool takes_sequences(const OperatorRow& row) {
  const auto rows = sequence_operators();
  return &row >= rows.data() && &row < rows.data() + rows.size();
}

}  // namespace jitney::onnx
