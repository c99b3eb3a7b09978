// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>

namespace CLI {
class App;
}

namespace jitney::cli {

/// What the chosen command does once the whole command line is parsed; gives the exit code, and throws Error.
using Action = std::function<int()>;

/// Each adds one command with its options and help to `app`. Parsing that command sets `action`, which must outlive
/// the parse.
void add_run(CLI::App& app, Action& action);
void add_bench(CLI::App& app, Action& action);
void add_build(CLI::App& app, Action& action);
void add_inspect(CLI::App& app, Action& action);
void add_doctor(CLI::App& app, Action& action);
/// `jitney warm` and `jitney cache warm`: one command.
void add_warm(CLI::App& app, Action& action);
void add_cache(CLI::App& app, Action& action);

}  // namespace jitney::cli
