// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "frontend/onnx/arithmetic.h"
#include "frontend/onnx/node_context.h"

namespace jitney::onnx {

/// One of the functions that gates of RNN, GRU and LSTM end in.
struct GateFunction {
  std::string name;  ///< lower case
  double alpha = 0, beta = 0;

  ir::ValueId apply(const Arithmetic& m, ir::ValueId x) const;
};

/// The attributes activations, activation_alpha and activation_beta: `defaults` a direction. Fails (user) for an
/// unknown name, and for another number of them than all directions have.
Expected<std::vector<GateFunction>> read_gate_functions(NodeContext& c, const std::vector<std::string>& defaults,
                                                        std::size_t directions);

}  // namespace jitney::onnx
