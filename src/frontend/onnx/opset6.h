// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include "frontend/onnx/node_context.h"

namespace jitney::onnx {

/// Makes a node of opset 6 one of opset 7, before its converter sees it: the second operand that is laid along an axis
/// of the first gets the extents of 1 that numpy's broadcasting needs, PRelu's slopes go along the channels, and what
/// says "not in training" is taken off. A node in training is an error of the user's.
Status adapt_to_opset_7(NodeContext& c);

}  // namespace jitney::onnx
