// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include "ir/graph.h"

namespace jitney::passes {

/// Stage::called to Stage::called. Moves every permute that shows channels-last data as planes below the elementwise
/// operators, reductions, concatenations, pads and slices that read it, so that it meets the permute before the next
/// convolution and both can be cancelled (simplify). Activations stay channels-last from the first convolution to the
/// last. Other operands that are not permuted are seen through the inverse permute, which copies nothing.
Expected<ir::Graph> sink_permutes(const ir::Graph& graph);

}  // namespace jitney::passes
