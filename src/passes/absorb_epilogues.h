// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include "passes/lower.h"

namespace jitney::passes {

/// Stage::called to Stage::called. An elementwise operator that is the only reader of a library call's result becomes
/// part of the call (bias, activation, residual sum), as long as the backend offers the longer call. The call then runs
/// where that operator stood, when its other operand is there.
Expected<ir::Graph> absorb_epilogues(const ir::Graph& graph, const LowerOptions& options);

}  // namespace jitney::passes
