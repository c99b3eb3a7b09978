// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include "ir/graph.h"

namespace jitney::passes {

/// Assumes: Stage::imported. Guarantees: every node is a hosted one (ir/hosted.h); all others are in the bodies of
/// Op::stage, as few as the order of hosted operators allows, each reading what earlier ones gave. Hosted operators and
/// computations that nothing needs, neither their values nor their symbols, are gone. Bodies of control flow stay as
/// they are. A graph without hosted operators becomes one stage.
ir::Graph divide(const ir::Graph& graph);

}  // namespace jitney::passes
