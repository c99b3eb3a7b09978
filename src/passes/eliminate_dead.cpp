// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "passes/eliminate_dead.h"

#include "passes/rewrite.h"

namespace jitney::passes {

Expected<ir::Graph> eliminate_dead(const ir::Graph& graph) {
  std::vector<bool> live(graph.values.size(), false);
  for (ir::ValueId id : graph.outputs) live[static_cast<std::size_t>(id)] = true;
  std::vector<bool> keep(graph.nodes.size(), false);
  for (std::size_t i = graph.nodes.size(); i-- > 0;) {
    const auto& node = graph.nodes[i];
    for (ir::ValueId out : node.outputs) keep[i] = keep[i] || live[static_cast<std::size_t>(out)];
    if (!keep[i]) continue;
    for (ir::ValueId in : node.inputs)
      if (in != ir::kNoValue) live[static_cast<std::size_t>(in)] = true;
  }
  Rewriter rw(graph);
  for (std::size_t i = 0; i < graph.nodes.size(); ++i)
    if (keep[i]) rw.copy(graph.nodes[i]);
  return rw.finish();
}

}  // namespace jitney::passes
