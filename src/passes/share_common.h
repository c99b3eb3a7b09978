// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include "ir/graph.h"

namespace jitney::passes {

/// Merges nodes that compute the same thing: same operator, inputs, attributes and type.
Expected<ir::Graph> share_common(const ir::Graph& graph);

}  // namespace jitney::passes
