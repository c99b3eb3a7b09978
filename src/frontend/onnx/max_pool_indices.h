// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include "frontend/onnx/node_context.h"
#include "frontend/onnx/window.h"

namespace jitney::onnx {

/// Sets output 1 of a MaxPool: for each window the flat index of its first largest element in the input, which counts
/// batch and channels too. column_major: the first spatial axis is the innermost. Fails (user) for large windows.
Status set_max_pool_indices(NodeContext& c, const Window& w, const ir::Shape& out, bool column_major);

}  // namespace jitney::onnx
