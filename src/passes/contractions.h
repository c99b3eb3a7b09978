// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include "passes/lower.h"

namespace jitney::passes {

/// Whether the backend offers a library call for this convolution or pooling.
bool is_offered(const ir::Graph& graph, const ir::Node& node, const LowerOptions& options);

/// Stage::optimized to Stage::called. Convolutions and poolings become regions on channels-last activations, with a
/// permute before and after each, for the passes that follow to move and cancel: kind `call` where the backend offers
/// the call, else kind `contract`. A matmul becomes a region of kind `call` where that is offered, else stays.
/// Constant weights of a convolution that will be generated are laid out [c, k..., o], seen through a permute:
/// generated code takes output channels as its vector axis, which never meets padding.
Expected<ir::Graph> wrap_contractions(const ir::Graph& graph, const LowerOptions& options);

}  // namespace jitney::passes
