// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include "ir/graph.h"

namespace jitney::passes {

/// Writes softmax, log_softmax and layer_norm as reductions and elementwise operators (f16 and bf16 in f32),
/// gives every reduction keepdims = 1, and every matmul operands of rank 2 or more. What fusion then sees is
/// elementwise, reduction, contraction, movement and view only.
/// Source: Ba, Kiros, Hinton, "Layer Normalization", 2016; ONNX operator specification.
Expected<ir::Graph> decompose(const ir::Graph& graph);

}  // namespace jitney::passes
