// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include "passes/lower.h"

namespace jitney::passes {

/// Stage::optimized to itself. A transposed convolution that the backend offers no call for becomes a convolution of
/// its input, spread out with zeros between the elements, with the kernel turned around and its channels exchanged
/// (Dumoulin and Visin, "A guide to convolution arithmetic for deep learning", 2016).
Expected<ir::Graph> expand_transposed(const ir::Graph& graph, const LowerOptions& options);

}  // namespace jitney::passes
