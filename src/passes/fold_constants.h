// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include "ir/graph.h"

namespace jitney::passes {

/// Computes nodes whose inputs are all constants, where the result is not much larger than its inputs, and as long as
/// they read some times the graph's constants together: what is beyond stays a node.
Expected<ir::Graph> fold_constants(const ir::Graph& graph);

/// The same for what no file holds: quantized constants become the numbers that they stand for, so that libraries get
/// weights. A result may be as large as f32 is beside 8 bits. It is computed when somebody reads it.
Expected<ir::Graph> expand_constants(const ir::Graph& graph);

}  // namespace jitney::passes
