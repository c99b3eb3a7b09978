// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "ir/graph.h"
#include "kernel/kernel.h"

namespace jitney::compiler::test {

/// A small graph whose generated source is kept in tests/compiler/golden/NAME.c, and shapes to run it at.
struct GoldenGraph {
  std::string name;
  ir::Graph graph;
  std::vector<ir::SymbolValues> shapes;  ///< odd ones, ones that fill the lanes, 1 and 0
};

/// The fixed set: one graph a way of moving through memory or of computing.
std::vector<GoldenGraph> golden_graphs();

/// Lowered without any library, so that each region is a kernel.
ir::Graph lowered(const ir::Graph& graph);

/// The kernels of a lowered graph, in the order of its regions.
std::vector<kernel::Kernel> kernels_of(const ir::Graph& lowered);

}  // namespace jitney::compiler::test
