// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string_view>

#include "frontend/onnx/node_context.h"

namespace jitney::onnx {

/// Imports one node: sets its outputs, or fails (user) with one sentence that names operator and node.
using Converter = Status (*)(NodeContext&);

/// One operator of the domain "ai.onnx". The first min_inputs inputs are present when the converter runs.
struct OperatorRow {
  std::string_view name;
  int since;  ///< first opset that has the operator
  int min_inputs;
  int max_inputs;  ///< -1: any number
  Converter convert;
};

inline constexpr int kAnyNumber = -1;

// One table a file; registry.cpp lists them. To add an operator, add a row to the family's table.
std::span<const OperatorRow> arithmetic_operators();        // ops_arithmetic.cpp
std::span<const OperatorRow> unary_operators();             // ops_unary.cpp
std::span<const OperatorRow> activation_operators();        // ops_activation.cpp
std::span<const OperatorRow> logic_operators();             // ops_logic.cpp
std::span<const OperatorRow> cast_operators();              // ops_cast.cpp
std::span<const OperatorRow> reduce_operators();            // ops_reduce.cpp
std::span<const OperatorRow> normalize_operators();         // ops_normalize.cpp
std::span<const OperatorRow> contract_operators();          // ops_contract.cpp
std::span<const OperatorRow> pool_operators();              // ops_pool.cpp
std::span<const OperatorRow> reshape_operators();           // ops_reshape.cpp
std::span<const OperatorRow> movement_operators();          // ops_movement.cpp
std::span<const OperatorRow> slice_operators();             // ops_slice.cpp
std::span<const OperatorRow> shape_operators();             // ops_shape.cpp
std::span<const OperatorRow> rearrange_operators();         // ops_rearrange.cpp
std::span<const OperatorRow> index_operators();             // ops_index.cpp
std::span<const OperatorRow> order_operators();             // ops_order.cpp
std::span<const OperatorRow> resize_operators();            // ops_resize.cpp
std::span<const OperatorRow> random_operators();            // ops_random.cpp
std::span<const OperatorRow> quantize_operators();          // ops_quantize.cpp
std::span<const OperatorRow> quantized_operators();         // ops_quantized.cpp
std::span<const OperatorRow> loss_operators();              // ops_loss.cpp
std::span<const OperatorRow> einsum_operators();            // ops_einsum.cpp
std::span<const OperatorRow> attention_operators();         // ops_attention.cpp
std::span<const OperatorRow> decoder_operators();           // ops_decoder.cpp
std::span<const OperatorRow> signal_operators();            // ops_signal.cpp
std::span<const OperatorRow> window_function_operators();   // ops_window_function.cpp
std::span<const OperatorRow> pool_more_operators();         // ops_pool_more.cpp
std::span<const OperatorRow> sample_operators();            // ops_sample.cpp
std::span<const OperatorRow> linear_algebra_operators();    // ops_linear_algebra.cpp
std::span<const OperatorRow> linear_attention_operators();  // ops_linear_attention.cpp
std::span<const OperatorRow> recurrent_operators();         // ops_recurrent.cpp
std::span<const OperatorRow> dynamic_operators();           // ops_dynamic.cpp
std::span<const OperatorRow> sequence_operators();          // ops_sequence.cpp

/// Null for an operator that is not supported.
const OperatorRow* find_operator(std::string_view name);
/// Whether it may be given sequences and optionals; the others take tensors.
bool takes_sequences(const OperatorRow& row);

}  // namespace jitney::onnx
