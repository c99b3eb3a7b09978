// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include "ir/graph.h"

namespace jitney::passes {

/// Stage::optimized to Stage::optimized: f32 becomes bf16 between the graph's inputs and outputs, which keep their
/// types. Contractions sum in f32, reductions and normalizations compute in f32, and what loses much by rounding its
/// operands (exponentials, logarithms, quotients, powers, comparisons) stays f32. For ContextOptions::precision bf16.
Expected<ir::Graph> lower_precision(const ir::Graph& graph);

}  // namespace jitney::passes
