// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include "ir/graph.h"

namespace jitney::passes {

/// Drops nodes whose outputs nothing uses. Inputs and outputs of the graph stay.
Expected<ir::Graph> eliminate_dead(const ir::Graph& graph);

}  // namespace jitney::passes
