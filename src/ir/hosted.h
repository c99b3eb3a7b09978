// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <set>
#include <string>
#include <vector>

#include "ir/graph.h"

/// Hosted operators: what the runtime does between compiled stages, because extents or control flow follow from data.
/// A graph with such nodes has symbols that get their values while it runs. Symbols are lexically scoped: the graph in
/// an attribute sees those of the graphs around it, and Graph::symbols has only its own.
namespace jitney::ir {

bool has_hosted(const Graph& graph);

/// The symbols that a node's "symbols" attribute names; empty for other nodes. Entries that are no plain symbol are
/// left out (verify() refuses them).
std::vector<std::string> defined_symbols(const Node& node);

/// Symbols in a node's attributes and in the shapes of its outputs, and in its graphs those of the graphs around.
void collect_symbols(const Graph& graph, const Node& node, std::set<std::string>& into);
/// Symbols that a graph takes from the graphs around it.
std::set<std::string> free_symbols(const Graph& graph);

/// Gives values to the symbols that `shape` names and `own` has, from the extents found; the others must agree.
/// Errors (user) name the value, found and expected.
Status bind_shape(const std::string& what, const Shape& shape, const std::vector<std::int64_t>& found,
                  const std::set<std::string>& own, SymbolValues& symbols);
/// The symbols of a graph in an attribute, given its inputs' shapes and the values of the symbols around it. Those that
/// other inputs' symbols were equal to get a value once.
Status bind_body(const Graph& body, const std::vector<std::vector<std::int64_t>>& input_shapes, SymbolValues& symbols);

/// The symbols that a node defines, given what it gave.
Status bind_outputs(const Graph& graph, const Node& node, const std::vector<std::vector<std::int64_t>>& shapes,
                    SymbolValues& symbols);
/// The numbers that Op::read_dims gave are the values of its symbols.
Status bind_numbers(const Node& node, const std::vector<std::int64_t>& numbers, SymbolValues& symbols);
/// One of the two.
Status bind_outputs(const Graph& graph, const Node& node, const std::vector<Tensor>& outputs, SymbolValues& symbols);

/// Whether all of its symbols have values.
bool is_decidable(const Guard& guard, const SymbolValues& symbols);
/// Errors are the user's: the reason, and the numbers found.
Status check_guard(const Guard& guard, const SymbolValues& symbols);

/// verify_types for hosted operators.
Status verify_hosted(const Graph& graph, const Node& node);

}  // namespace jitney::ir
