// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <jitney/engine.h>

#include <string>
#include <vector>

namespace jitney::cli {

struct PrecompileOptions {
  std::vector<std::string> targets;  ///< warm_for_target() says what is allowed
  std::vector<std::string> shapes;   ///< as --shape takes them; none: the profiles' best
};

/// The engine with kernels for these targets: the generic ones, and those for the shapes. Throws Error.
Engine precompile(const Engine& engine, const PrecompileOptions& options);

}  // namespace jitney::cli
