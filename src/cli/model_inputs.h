// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <jitney/engine.h>
#include <jitney/tensor.h>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "util/expected.h"

namespace jitney::cli {

/// Tensors for a run, in the order of the engine's inputs.
struct ModelInputs {
  std::vector<Tensor> tensors;
  std::map<std::string, std::int64_t> assumed_extents;  ///< symbols that nobody gave
};

/// Reads what `files` (--input) names, and makes seeded random tensors for the rest, in the shapes that `shapes`
/// (--shape) gives. Shapes are checked against the model before anything large is allocated. Error(user) for a
/// malformed option, an input named twice or unknown, a file that cannot be used, and a dtype, rank or extent that does
/// not fit; Error(environment) when memory does not suffice.
Expected<ModelInputs> make_inputs(const Engine& engine, const std::vector<std::string>& files,
                                  const std::vector<std::string>& shapes, std::uint64_t seed);

}  // namespace jitney::cli
