// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "ir/graph.h"
#include "util/expected.h"

namespace jitney::cli {

/// Shapes that the user gave, by name of the input.
using GivenShapes = std::map<std::string, std::vector<std::int64_t>>;

struct InputShapes {
  std::vector<std::vector<std::int64_t>> shapes;  ///< one for each input of the graph, in its order
  /// Symbols that nobody gave, with the extent taken for them: 1, or the least that the model allows.
  std::map<std::string, std::int64_t> assumed;
};

/// A shape for every input: a given one, else the model's with its symbols replaced by what the given shapes make of
/// them, else by 1. The result is checked against the graph. Error(user) names the input, expected and found; also for
/// a name that the graph has not.
Expected<InputShapes> resolve_shapes(const ir::Graph& graph, const GivenShapes& given);

/// "'images' [batch, 1, 8, 8], 'mask' [batch]": for messages.
std::string list_inputs(const ir::Graph& graph);

}  // namespace jitney::cli
