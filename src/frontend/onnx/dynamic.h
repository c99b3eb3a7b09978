// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include "frontend/onnx/node_context.h"

namespace jitney::onnx {

/// NonZero and Compress where what decides about extents is data: hosted operators.
Status nonzero_of_data(NodeContext& c);
Status compress_by_data(NodeContext& c);

}  // namespace jitney::onnx
