// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <jitney/execution_context.h>
#include <jitney/runtime_settings.h>

#include <CLI/CLI.hpp>
#include <functional>
#include <vector>

namespace jitney::cli {

/// RuntimeSettings on a command line: a flag for each row of the table of settings, over what the environment says.
class SettingsOptions {
 public:
  /// Must outlive the parse.
  void add_to(CLI::App& command);
  /// After the parse. Throws Error(user) for a value of the environment that is not allowed.
  RuntimeSettings settings() const;
  /// The same in the options of a context.
  void apply(ContextOptions& options) const;

 private:
  std::vector<std::function<void(RuntimeSettings&)>> given_;
};

}  // namespace jitney::cli
