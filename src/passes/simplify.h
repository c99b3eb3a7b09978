// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include "ir/graph.h"

namespace jitney::passes {

/// Local rewrites that are exact: identities, chains of reshapes, permutes and casts, powers by constants.
Expected<ir::Graph> simplify(const ir::Graph& graph);

}  // namespace jitney::passes
