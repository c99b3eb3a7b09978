// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <jitney/execution_context.h>

#include <CLI/CLI.hpp>

namespace jitney::cli {

/// --precision fp32|bf16, which several commands have. `into` must outlive the parse.
void add_precision(CLI::App& command, Precision& into);
/// --denormals flush|keep, likewise.
void add_denormals(CLI::App& command, Denormals& into);
/// --cuda-graph-strategy disabled|whole_graph_capture, likewise.
void add_cuda_graph_strategy(CLI::App& command, CudaGraphStrategy& into);

}  // namespace jitney::cli
