// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include "passes/lower.h"

namespace jitney::passes {

/// Stage::optimized to itself. softmax(scale * q k^T + mask) v becomes one attention where the backend offers it. The
/// scale may be a factor of q, of k^T, of both, or of the scores, or a divisor; the mask is optional and added last.
/// Nothing is recognized whose intermediate results somebody else uses.
Expected<ir::Graph> recognize_attention(const ir::Graph& graph, const LowerOptions& options);

}  // namespace jitney::passes
