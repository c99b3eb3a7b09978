// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "ir/hosted.h"

#include <fmt/ranges.h>

#include <algorithm>

#include "ir/checked.h"

namespace jitney::ir {

bool has_hosted(const Graph& graph) {
  return std::any_of(graph.nodes.begin(), graph.nodes.end(), [](const Node& n) { return is_hosted(n.op); });
}

std::vector<std::string> defined_symbols(const Node& node) {
  std::vector<std::string> names;
  const auto found = node.attributes.find("symbols");
  if (found == node.attributes.end()) return names;
  const auto* dims = std::get_if<std::vector<Dim>>(&found->second);
  if (dims == nullptr) return names;
  for (const Dim& d : *dims) {
    if (auto name = d.symbol_name()) names.push_back(std::move(*name));
  }
  return names;
}

void collect_symbols(const Graph& graph, const Node& node, std::set<std::string>& into) {
  for (const ValueId id : node.outputs) {
    for (const Dim& d : graph.value(id).shape) d.collect_symbols(into);
  }
  for (const auto& [key, attribute] : node.attributes) {
    if (const auto* dims = std::get_if<std::vector<Dim>>(&attribute)) {
      for (const Dim& d : *dims) d.collect_symbols(into);
    } else if (const auto* body = std::get_if<std::shared_ptr<const Graph>>(&attribute)) {
      into.merge(free_symbols(**body));
    }
  }
}

std::set<std::string> free_symbols(const Graph& graph) {
  std::set<std::string> used;
  for (const Value& v : graph.values) {
    for (const Dim& d : v.shape) d.collect_symbols(used);
  }
  for (const Guard& g : graph.guards) {
    g.a.collect_symbols(used);
    g.b.collect_symbols(used);
  }
  for (const Node& node : graph.nodes) collect_symbols(graph, node, used);
  for (const ValueId id : graph.inputs) {
    for (const Dim& d : graph.value(id).shape) {
      if (const auto name = d.symbol_name(); name && graph.symbols.contains(*name)) used.erase(*name);
    }
  }
  for (const Node& node : graph.nodes) {
    for (const std::string& name : defined_symbols(node)) used.erase(name);
  }
  return used;
}

Status bind_shape(const std::string& what, const Shape& shape, const std::vector<std::int64_t>& found,
                  const std::set<std::string>& own, SymbolValues& symbols) {
  if (found.size() != shape.size())
    return user_error("{} has the shape [{}]; rank {} is expected: {}", what, fmt::join(found, ", "), shape.size(),
                      to_string(shape));
  for (std::size_t axis = 0; axis < shape.size(); ++axis) {
    const auto name = shape[axis].symbol_name();
    if (name && own.contains(*name)) symbols.emplace(*name, found[axis]);
  }
  for (std::size_t axis = 0; axis < shape.size(); ++axis) {
    JITNEY_TRY(const std::int64_t expected, shape[axis].evaluate(symbols));
    if (expected != found[axis])
      return user_error("{} has the shape [{}]; the extent along axis {} must be {}", what, fmt::join(found, ", "),
                        axis, expected);
  }
  return {};
}

Status bind_body(const Graph& body, const std::vector<std::vector<std::int64_t>>& input_shapes, SymbolValues& symbols) {
  if (input_shapes.size() != body.inputs.size())
    return internal_error("graph '{}' has {} inputs, and {} were given", body.name, body.inputs.size(),
                          input_shapes.size());
  std::set<std::string> own;
  for (const auto& [name, range] : body.symbols) own.insert(name);
  // What an earlier iteration found counts no more.
  for (const std::string& name : own) symbols.erase(name);
  for (const bool plain : {true, false}) {  // expressions over symbols of a later input come second
    for (std::size_t i = 0; i < input_shapes.size(); ++i) {
      const Value& v = body.value(body.inputs[i]);
      if (!plain) {
        JITNEY_CHECK(bind_shape(fmt::format("'{}'", v.name), v.shape, input_shapes[i], {}, symbols));
        continue;
      }
      for (std::size_t axis = 0; axis < std::min(v.shape.size(), input_shapes[i].size()); ++axis) {
        if (const auto name = v.shape[axis].symbol_name(); name && own.contains(*name))
          symbols.emplace(*name, input_shapes[i][axis]);
      }
    }
  }
  for (const Guard& guard : body.guards) {
    if (is_decidable(guard, symbols)) JITNEY_CHECK(check_guard(guard, symbols));
  }
  return {};
}

Status bind_outputs(const Graph& graph, const Node& node, const std::vector<std::vector<std::int64_t>>& shapes,
                    SymbolValues& symbols) {
  if (shapes.size() != node.outputs.size())
    return internal_error("it gave {} outputs, and {} were expected", shapes.size(), node.outputs.size());
  const std::vector<std::string> names = defined_symbols(node);
  const std::set<std::string> own(names.begin(), names.end());
  for (std::size_t i = 0; i < shapes.size(); ++i) {
    const Value& v = graph.value(node.outputs[i]);
    JITNEY_CHECK(bind_shape(fmt::format("'{}'", v.name), v.shape, shapes[i], own, symbols));
  }
  return {};
}

Status bind_numbers(const Node& node, const std::vector<std::int64_t>& numbers, SymbolValues& symbols) {
  const std::vector<std::string> names = defined_symbols(node);
  if (names.size() != numbers.size())
    return user_error("its shape has {} entries; {} are expected", numbers.size(), names.size());
  for (std::size_t i = 0; i < names.size(); ++i) symbols.insert_or_assign(names[i], numbers[i]);
  return {};
}

Status bind_outputs(const Graph& graph, const Node& node, const std::vector<Tensor>& outputs, SymbolValues& symbols) {
  if (node.op == Op::read_dims && outputs.at(0).dtype() == DType::i64) {
    const auto* first = outputs.at(0).as<std::int64_t>();
    return bind_numbers(node, {first, first + outputs[0].num_elements()}, symbols);
  }
  std::vector<std::vector<std::int64_t>> shapes;
  for (const Tensor& t : outputs) shapes.push_back(t.shape());
  return bind_outputs(graph, node, shapes, symbols);
}

bool is_decidable(const Guard& guard, const SymbolValues& symbols) {
  std::set<std::string> needed;
  guard.a.collect_symbols(needed);
  guard.b.collect_symbols(needed);
  return std::all_of(needed.begin(), needed.end(), [&](const auto& name) { return symbols.contains(name); });
}

Status check_guard(const Guard& guard, const SymbolValues& symbols) {
  const auto a = guard.a.evaluate(symbols), b = guard.b.evaluate(symbols);
  if (!a || !b) return user_error("{}: {}", guard.reason, (!a ? a : b).error().message);
  bool holds = false;
  std::string_view relation;
  switch (guard.relation) {
    case Guard::Relation::equal:
      holds = *a == *b;
      relation = "must equal";
      break;
    case Guard::Relation::less_equal:
      holds = *a <= *b;
      relation = "must be at most";
      break;
    case Guard::Relation::divides:
      holds = *a != 0 && *floor_mod(*b, *a) == 0;
      relation = "must divide";
      break;
  }
  if (holds) return {};
  const auto show = [](const Dim& d, std::int64_t v) {
    return d.is_constant() ? std::to_string(v) : fmt::format("{} = {}", d.to_string(), v);
  };
  std::set<std::string> names;
  guard.a.collect_symbols(names);
  guard.b.collect_symbols(names);
  std::string with;
  if (!guard.a.symbol_name() && !guard.a.is_constant() && !guard.b.is_constant()) {
    for (const std::string& name : names)
      with += fmt::format("{}{} = {}", with.empty() ? ", with " : ", ", name, symbols.at(name));
  }
  return user_error("{}: {} {} {}{}", guard.reason, show(guard.a, *a), relation, show(guard.b, *b), with);
}

}  // namespace jitney::ir
