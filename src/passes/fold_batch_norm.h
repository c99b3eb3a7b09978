// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include "ir/graph.h"

namespace jitney::passes {

/// Folds inference-mode batch normalization into the convolution before it where the weights are constants,
/// else into one multiply and one add. Afterwards no batch_norm is left.
Expected<ir::Graph> fold_batch_norm(const ir::Graph& graph);

}  // namespace jitney::passes
