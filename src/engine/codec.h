// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <engine.pb.h>

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "ir/graph.h"
#include "util/expected.h"

namespace jitney::engine {

namespace proto = ::jitney_engine;

/// The beginning of text that came from a file, without control characters: fit for a message.
std::string shown(const std::string& text, std::size_t limit = 80);

/// A graph as a message, and which bytes to put where in the WEIGHTS section. Equal tensors share one place. The
/// spans point into the graph's constants.
struct Encoded {
  struct Weight {
    std::size_t offset;
    std::span<const std::byte> bytes;
  };
  proto::Graph graph;
  std::vector<Tensor> held;  ///< keeps the constants in memory
  std::vector<Weight> weights;
  std::size_t weights_size = 0;
};

/// Any graph, whatever its stage. Fails (user) where it exceeds a budget of file_format.h: what can be written can
/// be read.
Expected<Encoded> encode(const ir::Graph& graph);

/// The WEIGHTS section, and what keeps it in memory. Begins at a multiple of 64.
struct Weights {
  std::span<const std::byte> bytes;
  std::shared_ptr<const void> owner;
  bool is_mapped = false;  ///< read-only, from a file: pages that were given back come again
};

/// The inverse of encode. Checks everything that later code relies on without a check of its own: names of
/// operators, ids, dtypes, ranges, sizes of constants, Dims. It does not verify the graph. Constants point into
/// weights and share its owner. graph_bytes: the message's size, which bounds what it may claim.
/// Errors are the user's and read "the engine file ...".
Expected<ir::Graph> decode(const proto::Graph& graph, std::size_t graph_bytes, const Weights& weights);

}  // namespace jitney::engine
