// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <jitney/execution_context.h>

#include <CLI/CLI.hpp>

namespace jitney::cli {

/// --precision fp32|bf16, which several commands have. `into` must outlive the parse.
void add_precision(CLI::App& command, Precision& into);
/// --denormals flush|keep, likewise.
void add_denormals(CLI::App& command, Denormals& into);
/// --tactics heuristic|timed, likewise.
void add_tactics(CLI::App& command, std::optional<Tactics>& into);

}  // namespace jitney::cli
