// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include "passes/rewrite.h"

namespace jitney::passes {

/// A pad of mode edge, wrap or reflect as gather_grid: each padded axis has a vector that says which input index an
/// output index stands for. The vectors are arithmetic on iota, which fusion puts into the kernel that reads by them.
ir::ValueId gathered_pad(Rewriter& rw, const ir::Node& node);

}  // namespace jitney::passes
