// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include "ir/graph.h"

namespace jitney::passes {

/// Computes nodes whose inputs are all constants, where the result is not much larger than its inputs.
Expected<ir::Graph> fold_constants(const ir::Graph& graph);

}  // namespace jitney::passes
