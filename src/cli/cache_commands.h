// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cli/commands.h"

namespace jitney::cli {

/// 'jitney cache warm', which has a file of its own.
void add_cache_warm(CLI::App& cache, Action& action);

}  // namespace jitney::cli
