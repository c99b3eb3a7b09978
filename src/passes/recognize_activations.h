// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include "ir/graph.h"

namespace jitney::passes {

/// Activations that exporters write out in arithmetic become the operators that kernels and libraries know: silu
/// (x sigmoid(x)), hard_swish, gelu_erf and gelu_tanh (Hendrycks and Gimpel, "Gaussian Error Linear Units", 2016), in
/// any order of factors and with any scaling written as a product or a quotient. Constants may differ from the
/// formula's by 1e-4 of their value, as they do between exporters. Stage::optimized; floating types only.
Expected<ir::Graph> recognize_activations(const ir::Graph& graph);

}  // namespace jitney::passes
