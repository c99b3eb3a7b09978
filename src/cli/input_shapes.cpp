// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "cli/input_shapes.h"

#include <algorithm>
#include <set>

namespace jitney::cli {
namespace {

/// The symbols that are extents by themselves in a given shape. Whether they agree is bind_symbols' to say.
ir::SymbolValues symbols_of(const ir::Graph& graph, const GivenShapes& given) {
  ir::SymbolValues values;
  for (const ir::ValueId id : graph.inputs) {
    const ir::Value& input = graph.value(id);
    const auto found = given.find(input.name);
    if (found == given.end() || found->second.size() != input.shape.size()) continue;
    for (std::size_t axis = 0; axis < input.shape.size(); ++axis) {
      if (const auto symbol = input.shape[axis].symbol_name()) values.emplace(*symbol, found->second[axis]);
    }
  }
  return values;
}

std::int64_t assumed_extent(const ir::Graph& graph, const std::string& symbol) {
  const auto range = graph.symbols.find(symbol);
  return range == graph.symbols.end()
             ? 1
             : std::clamp<std::int64_t>(1, range->second.min, std::max(range->second.min, range->second.max));
}

}  // namespace

std::string list_inputs(const ir::Graph& graph) {
  std::string result;
  for (const ir::ValueId id : graph.inputs) {
    const ir::Value& input = graph.value(id);
    result += fmt::format("{}'{}' {}", result.empty() ? "" : ", ", input.name, to_string(input.shape));
  }
  return result.empty() ? "none" : result;
}

Expected<InputShapes> resolve_shapes(const ir::Graph& graph, const GivenShapes& given) {
  for (const auto& [name, shape] : given) {
    const bool known = std::any_of(graph.inputs.begin(), graph.inputs.end(),
                                   [&](ir::ValueId id) { return graph.value(id).name == name; });
    if (!known) return user_error("the model has no input '{}'; its inputs are: {}", name, list_inputs(graph));
  }
  InputShapes result;
  ir::SymbolValues values = symbols_of(graph, given);
  for (const ir::ValueId id : graph.inputs) {
    const ir::Value& input = graph.value(id);
    if (const auto found = given.find(input.name); found != given.end()) {
      result.shapes.push_back(found->second);
      continue;
    }
    std::set<std::string> symbols;
    for (const ir::Dim& extent : input.shape) extent.collect_symbols(symbols);
    for (const std::string& symbol : symbols) {
      if (values.count(symbol) != 0) continue;
      values[symbol] = result.assumed[symbol] = assumed_extent(graph, symbol);
    }
    JITNEY_TRY(auto shape, ir::evaluate(input.shape, values));
    result.shapes.push_back(std::move(shape));
  }
  JITNEY_CHECK(ir::bind_symbols(graph, result.shapes));
  return result;
}

}  // namespace jitney::cli
