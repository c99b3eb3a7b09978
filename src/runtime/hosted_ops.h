// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <vector>

#include "ir/graph.h"
#include "runtime/cell.h"

namespace jitney::runtime {

/// What a hosted operator that is neither a stage nor control flow reads and gives, all on the host.
struct HostedCall {
  const ir::Node& node;
  const std::vector<std::optional<Cell>>& inputs;  ///< none: an optional input that is absent
  const Cells& cells;

  const Cell& in(std::size_t i) const { return *inputs[i]; }
  bool has(std::size_t i) const { return i < inputs.size() && inputs[i].has_value(); }
};

// One function an operator; what they compute is defined by ir/interpret_hosted.cpp. Dtypes and ranks were verified
// when the engine was made, extents are checked here.
Expected<std::vector<Cell>> run_nonzero(const HostedCall& call);
Expected<std::vector<Cell>> run_compress(const HostedCall& call);
Expected<std::vector<Cell>> run_unique(const HostedCall& call);
Expected<std::vector<Cell>> run_non_max_suppression(const HostedCall& call);

}  // namespace jitney::runtime
