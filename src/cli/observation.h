// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <jitney/execution_context.h>
#include <jitney/trace.h>

#include <CLI/CLI.hpp>
#include <optional>
#include <string>
#include <vector>

namespace jitney::cli {

/// What `run` and `bench` write for whoever watches. "" is not asked for, "-" is standard output.
struct ObserveOptions {
  std::string trace, metrics, layers;
};

void add_observation(CLI::App& command, ObserveOptions& into);
/// Throws Error(user) before anything runs: where two things would go to standard output that one program cannot tell
/// apart, or into one file; where a file is one of `read`, or its folder is not there. `also`: other files to be
/// written.
void check_observation(const ObserveOptions& options, bool json, const std::vector<std::string>& read,
                       const std::vector<std::string>& also = {});

/// Starts the trace, and writes what was asked for at the end. Throws Error where a file cannot be written, about the
/// trace at once.
class Observation {
 public:
  explicit Observation(const ObserveOptions& options);
  /// Call once everything has run. Layers are those of the shapes of `inputs`.
  void finish(const ExecutionContext& context, const std::vector<Tensor>& inputs);

 private:
  const ObserveOptions& options_;
  std::optional<Trace> trace_;
};

/// Writes a file, whole or not at all, or to standard output for "-". Throws Error(environment).
void write_text(const std::string& path, const std::string& text);

}  // namespace jitney::cli
