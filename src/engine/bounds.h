// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include "ir/graph.h"
#include "util/expected.h"

namespace jitney::engine {

/// Makes sure that no node of a verified graph reads outside its inputs, whatever shapes it is given: kernels rely on
/// that and do not check. Graphs from a front end have the guards for it; one from a file may lack them, as verify()
/// finds only what is wrong for certain. Relations that cannot be proved become guards, unless they are there already,
/// so a sound graph stays as it is or gains guards that always hold. Fails (user) for one that cannot hold.
Status require_bounds(ir::Graph& graph);

}  // namespace jitney::engine
