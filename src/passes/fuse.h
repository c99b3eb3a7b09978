// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include "ir/graph.h"

namespace jitney::passes {

/// Groups nodes into regions, each of which becomes one kernel, and makes every view expressible as strides
/// (copying where it is not). Rules and their reasons are in fuse.cpp. Afterwards only regions and views are left,
/// and every graph output is a region's whole output, or a reshape of it, and no two share one.
Expected<ir::Graph> fuse(const ir::Graph& graph);

}  // namespace jitney::passes
