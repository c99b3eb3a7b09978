// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
// Branches and loops: the runtime decides, what is inside is compiled.
#include "runtime/staged_executor.h"

namespace jitney::runtime {

Expected<std::vector<Cell>> StagedExecutor::run_body(int index, std::vector<Cell> inputs, const Scope& scope) {
  const StagedGraph& graph = program_->graphs[static_cast<std::size_t>(index)];
  Scope own = scope;
  std::vector<std::vector<std::int64_t>> shapes;
  for (const Cell& c : inputs) shapes.push_back(c.shape);
  JITNEY_CHECK(ir::bind_body(*graph.graph, shapes, own.symbols));
  return run_graph(graph, std::move(inputs), std::move(own));
}

namespace {

template <class T>
Expected<T> element(const Cells& cells, const Cell& cell, std::string_view what) {
  if (cell.num_elements() != 1) return user_error("its {} has {} elements; one is expected", what, cell.num_elements());
  JITNEY_TRY(const Cell here, cells.to_host(cell));
  return *here.as<T>();
}

template <class T>
Expected<Cell> scalar(const Cells& cells, DType dtype, T value) {
  JITNEY_TRY(Cell cell, cells.on_host(dtype, {}));
  *cell.as<T>() = value;
  return cell;
}

}  // namespace

Expected<std::vector<Cell>> StagedExecutor::run_branch(const StagedGraph::Step& step, std::vector<Cell> inputs,
                                                       const Scope& scope) {
  JITNEY_TRY(const std::uint8_t condition, element<std::uint8_t>(cells_, inputs[0], "condition"));
  inputs.erase(inputs.begin());
  // By the attributes' names: "else" comes before "then".
  return run_body(step.bodies[condition != 0 ? 1 : 0], std::move(inputs), scope);
}

Expected<std::vector<Cell>> StagedExecutor::run_loop(const StagedGraph::Step& step, std::vector<Cell> inputs,
                                                     const Scope& scope) {
  const ir::Node& node = *step.node;
  const auto carried = static_cast<std::size_t>(node.integer("carried"));
  const ir::Graph& body = node.graph("body");
  JITNEY_TRY(const std::int64_t trips, element<std::int64_t>(cells_, inputs[0], "trip count"));
  JITNEY_TRY(std::uint8_t goes_on, element<std::uint8_t>(cells_, inputs[1], "condition"));
  std::vector<std::vector<Cell>> stacks(node.outputs.size() - carried);
  for (std::int64_t n = 0; n < trips && goes_on != 0; ++n) {
    JITNEY_TRY(inputs[0], scalar<std::int64_t>(cells_, DType::i64, n));
    JITNEY_TRY(inputs[1], scalar<std::uint8_t>(cells_, DType::boolean, 1));
    const auto explain = [&](Failure f) {
      f.message = fmt::format("iteration {}: {}", n, f.message);
      return f;
    };
    JITNEY_TRY(auto results, run_body(step.bodies[0], inputs, scope).map_error(explain));
    JITNEY_TRY(goes_on, element<std::uint8_t>(cells_, results[0], "condition"));
    for (std::size_t i = 0; i < carried; ++i) inputs[2 + i] = std::move(results[1 + i]);
    for (std::size_t i = 0; i < stacks.size(); ++i) stacks[i].push_back(std::move(results[1 + carried + i]));
  }
  std::vector<Cell> outputs(inputs.begin() + 2, inputs.begin() + 2 + static_cast<std::ptrdiff_t>(carried));
  for (std::size_t i = 0; i < stacks.size(); ++i) {
    JITNEY_TRY(outputs.emplace_back(), stacked(body.value(body.outputs[1 + carried + i]), stacks[i], scope.symbols));
  }
  return outputs;
}

Expected<Cell> StagedExecutor::stacked(const ir::Value& value, const std::vector<Cell>& parts,
                                       const ir::SymbolValues& symbols) const {
  std::vector<std::int64_t> shape;
  if (parts.empty()) {
    // Extents that only an iteration tells are 0.
    for (const ir::Dim& d : value.shape) shape.push_back(d.evaluate(symbols).value_or(0));
  } else {
    shape = parts[0].shape;
  }
  shape.insert(shape.begin(), static_cast<std::int64_t>(parts.size()));
  JITNEY_TRY(Cell out, cells_.on_device(value.dtype, shape));
  char* to = out.as<char>();
  for (const Cell& part : parts) {
    if (part.shape != parts[0].shape)
      return user_error("output '{}' has other extents in a later iteration, and cannot be stacked", value.name);
    JITNEY_CHECK(cells_.copy_out(part, to));
    to += part.num_bytes();
  }
  return out;
}

}  // namespace jitney::runtime
