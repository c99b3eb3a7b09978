// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
// If, Loop and Scan that are decided when the model runs: their subgraphs become graphs in attributes. What these take
// from the graphs around them become inputs, but for constants and shapes, which they see as they are.
#include "frontend/onnx/control.h"

#include <algorithm>

namespace jitney::onnx {

using ir::Dim;
using ir::Op;
using ir::Shape;
using ir::ValueId;
using proto::AttributeProto;
using proto::GraphProto;
using proto::NodeProto;

const AttributeProto* find_attribute(const NodeProto& node, std::string_view name) {
  for (const AttributeProto& attribute : node.attribute())
    if (attribute.name() == name) return &attribute;
  return nullptr;
}

Shape visible_shape(const Shape& shape, const GraphBuilder& outer, std::set<std::size_t>& hidden) {
  Shape result = shape;
  for (std::size_t axis = 0; axis < shape.size(); ++axis) {
    std::set<std::string> used;
    shape[axis].collect_symbols(used);
    const bool visible = std::all_of(used.begin(), used.end(),
                                     [&](const std::string& name) { return outer.graph.symbols.contains(name); });
    if (!visible) hidden.insert(axis);
  }
  return result;
}

Shape with_new_symbols(Shape shape, const std::set<std::size_t>& axes, GraphBuilder& builder,
                       std::vector<Dim>& symbols) {
  for (const std::size_t axis : axes) {
    shape[axis] = builder.new_symbol();
    symbols.push_back(shape[axis]);
  }
  return shape;
}

ModelImporter::Captures ModelImporter::captured_by(const std::vector<const GraphProto*>& graphs, Scope& scope) {
  Captures captures;
  std::set<std::string> seen;
  for (const GraphProto* graph : graphs) {
    for (const std::string& name : free_names(*graph)) {
      const ModelValuePtr* found = scope.find(name);
      if (found == nullptr || !seen.insert(name).second) continue;
      if (*found != nullptr && ((*found)->sequence || (*found)->is_none)) {
        builder_.set_open(Open::values);
        builder_.fail(
            {ErrorKind::user, fmt::format("node '{}': its subgraph takes '{}' from outside, which is no tensor",
                                          builder_.node_name(), name)});
      }
      captures.names.push_back(name);
      captures.values.push_back(*found);
      const bool is_data = *found != nullptr && (*found)->constant == nullptr && !(*found)->known;
      captures.is_data.push_back(is_data);
      if (is_data) captures.ids.push_back(builder_.materialize(**found));
    }
  }
  return captures;
}

Expected<ModelImporter::Body> ModelImporter::import_body(const GraphProto& graph, Scope& scope,
                                                         const std::vector<ModelValuePtr>& formals,
                                                         const Captures& captures,
                                                         const std::function<Status(Scope&)>& prepare,
                                                         const std::vector<ModelValuePtr>& first_outputs) {
  if (scope.depth >= options_.max_depth)
    return user_error("subgraphs are nested more than {} deep at node '{}'", options_.max_depth, builder_.node_name());
  // While this lives, everything is built into the subgraph's own graph.
  struct Swap {
    GraphBuilder &a, &b;
    Swap(GraphBuilder& x, GraphBuilder& y) : a(x), b(y) { std::swap(a, b); }
    ~Swap() { std::swap(a, b); }
  };
  GraphBuilder inner_builder = GraphBuilder::inside(builder_);
  const auto outer_symbols = builder_.graph.symbols;
  const std::string name = builder_.node_name();
  Body body;
  {
    const Swap swap(builder_, inner_builder);
    GraphBuilder& b = builder_;
    b.graph.name = fmt::format("{}/{}", name, graph.name());
    Scope inner;
    inner.opset = scope.opset;
    inner.depth = scope.depth + 1;
    inner.prefix = scope.prefix;
    for (const NodeProto& node : graph.node())
      for (const std::string& output : node.output()) b.reserve(output);
    const auto add_input = [&](const std::string& input, const ModelValue& as) {
      auto value = std::make_shared<ModelValue>();
      value->name = input;
      value->dtype = as.dtype;
      value->shape = as.shape;
      for (const Dim& d : as.shape) {
        const auto symbol = d.symbol_name();  // of the subgraph's own
        if (symbol) b.graph.symbols.emplace(*symbol, ir::SymbolInfo{});
      }
      value->id = b.graph.add_value(b.unique(input), as.dtype, as.shape);
      b.keep_name(value->id);
      b.graph.inputs.push_back(value->id);
      return value;
    };
    for (const ModelValuePtr& formal : formals) {
      const auto value = add_input(formal->name, *formal);
      value->known = formal->known;
      if (value->known) value->id = ir::kNoValue;
      inner.values[formal->name] = value;
    }
    for (std::size_t i = 0; i < captures.names.size(); ++i) {
      const ModelValuePtr& outer = captures.values[i];
      if (outer == nullptr) {
        inner.values[captures.names[i]] = nullptr;
      } else if (captures.is_data[i]) {
        inner.values[captures.names[i]] = add_input(captures.names[i], *outer);
      } else {
        auto copy = std::make_shared<ModelValue>(*outer);
        copy->id = ir::kNoValue;
        inner.values[captures.names[i]] = copy;
      }
    }
    b.begin_node(name, name);
    if (prepare) JITNEY_CHECK(prepare(inner));
    JITNEY_CHECK(add_initializers(graph, inner));
    JITNEY_CHECK(import_nodes(graph.node(), inner));
    for (const ModelValuePtr& value : first_outputs) body.outputs.push_back(value);
    for (const auto& output : graph.output()) {
      const ModelValuePtr* value = inner.find(output.name());
      if (value == nullptr || *value == nullptr)
        return user_error("a subgraph of node '{}' does not define its output '{}'", name, output.name());
      body.outputs.push_back(*value);
    }
    for (const ModelValuePtr& value : body.outputs) {
      if (!value->sequence && !value->is_none) continue;
      b.set_open(Open::values);
      return user_error("a subgraph of node '{}' gives '{}', which is no tensor", name, value->name);
    }
    for (std::size_t i = 0; i < body.outputs.size(); ++i) {
      const std::string output = fmt::format("{}.out{}", body.outputs[i]->name, i);
      b.begin_node(name, output);
      b.add_output(b.materialize(*body.outputs[i]), output);
    }
    JITNEY_CHECK(b.status());
    JITNEY_CHECK(b.settle_guards());
    for (const auto& [symbol, range] : outer_symbols) b.graph.symbols.erase(symbol);
    body.graph = std::make_shared<ir::Graph>(std::move(b.graph));
  }
  return body;
}

Status ModelImporter::set_outputs(const NodeProto& node, Scope& scope, const std::vector<ValueId>& ids) {
  JITNEY_CHECK(builder_.status());
  for (int i = 0; i < node.output_size(); ++i) {
    if (node.output(i).empty()) continue;
    const ValueId id = ids[static_cast<std::size_t>(i)];
    auto value = std::make_shared<ModelValue>();
    value->name = scope.prefix + node.output(i);
    value->dtype = builder_.dtype(id);
    value->shape = builder_.shape(id);
    value->id = id;
    builder_.rename(id, value->name);
    scope.values[node.output(i)] = value;
  }
  return {};
}

Status ModelImporter::import_branch(const NodeProto& node, Scope& scope, const ModelValuePtr& condition) {
  const std::string name = builder_.node_name();
  const AttributeProto *yes = find_attribute(node, "then_branch"), *no = find_attribute(node, "else_branch");
  if (yes == nullptr || no == nullptr || !yes->has_g() || !no->has_g())
    return user_error("operator 'If' at node '{}' has no {}", name, yes == nullptr ? "then_branch" : "else_branch");
  for (const AttributeProto* branch : {yes, no}) {
    if (branch->g().input_size() > 0 || branch->g().output_size() != node.output_size())
      return user_error("operator 'If' at node '{}' has {} outputs, but its {} has {} inputs and {} outputs", name,
                        node.output_size(), branch->name(), branch->g().input_size(), branch->g().output_size());
  }
  if (condition->dtype != DType::boolean)
    return user_error("operator 'If' at node '{}': its condition '{}' is {}; it must be bool", name, condition->name,
                      to_string(condition->dtype));
  std::vector<ValueId> inputs{builder_.materialize(*condition)};
  const Captures captures = captured_by({&yes->g(), &no->g()}, scope);
  inputs.insert(inputs.end(), captures.ids.begin(), captures.ids.end());
  JITNEY_TRY(const Body a, import_body(yes->g(), scope, {}, captures, {}, {}));
  JITNEY_TRY(const Body b, import_body(no->g(), scope, {}, captures, {}, {}));
  return add_branch(node, scope, std::move(inputs), a, b);
}

Status ModelImporter::add_branch(const NodeProto& node, Scope& scope, std::vector<ValueId> inputs, const Body& a,
                                 const Body& b) {
  const std::string name = builder_.node_name();
  std::vector<std::pair<DType, Shape>> types;
  std::vector<Dim> symbols;
  for (std::size_t i = 0; i < a.outputs.size(); ++i) {
    const ir::Value &x = a.graph->value(a.graph->outputs[i]), &y = b.graph->value(b.graph->outputs[i]);
    if (x.dtype != y.dtype || x.shape.size() != y.shape.size())
      return user_error("operator '{}' at node '{}': output '{}' is {}{} or {}{}; dtype and rank must be the same",
                        node.op_type(), name, node.output(static_cast<int>(i)), to_string(x.dtype),
                        ir::to_string(x.shape), to_string(y.dtype), ir::to_string(y.shape));
    std::set<std::size_t> open;
    const Shape shape = visible_shape(x.shape, builder_, open);
    for (std::size_t axis = 0; axis < shape.size(); ++axis)
      if (!(shape[axis] == y.shape[axis])) open.insert(axis);
    types.emplace_back(x.dtype, with_new_symbols(shape, open, builder_, symbols));
  }
  return set_outputs(node, scope,
                     builder_.hosted(Op::branch, std::move(inputs), types, symbols,
                                     {{"then", std::shared_ptr<const ir::Graph>(a.graph)},
                                      {"else", std::shared_ptr<const ir::Graph>(b.graph)}}));
}

Expected<std::vector<ValueId>> ModelImporter::add_loop(const NodeProto& node, Scope& scope, const LoopSpec& spec) {
  const std::string name = builder_.node_name();
  const GraphProto& graph = *spec.body;
  const std::size_t carried = spec.initial.size();
  std::vector<ValueId> inputs{builder_.materialize(*spec.trips), builder_.materialize(*spec.condition)};
  for (const ModelValuePtr& value : spec.initial) inputs.push_back(builder_.materialize(*value));
  Captures captures = captured_by({&graph}, scope);
  for (const auto& [inner_name, value] : spec.scanned) {
    captures.names.push_back(inner_name);
    captures.values.push_back(value);
    captures.is_data.push_back(true);
    captures.ids.push_back(builder_.materialize(*value));
  }
  inputs.insert(inputs.end(), captures.ids.begin(), captures.ids.end());

  // Extents that an iteration changes become symbols of the body. Which ones is found by importing it: those that come
  // out as they went in stay. Every round opens one at least.
  std::vector<std::set<std::size_t>> open(carried);
  Body body;
  for (bool settled = false; !settled;) {
    std::vector<ModelValuePtr> formals{std::make_shared<ModelValue>(), std::make_shared<ModelValue>()};
    formals[0]->name = spec.iteration;
    formals[0]->dtype = DType::i64;
    formals[1] = make_known(spec.own_condition, DType::boolean, ShapeTensor::scalar(Dim(1)));  // else it does not run
    GraphBuilder naming = GraphBuilder::inside(builder_);
    naming.begin_node(name, name + ".carried");
    std::vector<Dim> unused;
    for (std::size_t i = 0; i < carried; ++i) {
      auto formal = std::make_shared<ModelValue>();
      formal->name = spec.carried_names[i];
      formal->dtype = spec.initial[i]->dtype;
      formal->shape = with_new_symbols(spec.initial[i]->shape, open[i], naming, unused);
      formals.push_back(std::move(formal));
    }
    JITNEY_TRY(body, import_body(graph, scope, formals, captures, spec.prepare, spec.first_outputs));
    if (body.outputs.size() < carried + 1)
      return user_error("the body of node '{}' has {} outputs for {} carried values", name, body.outputs.size(),
                        carried);
    settled = true;
    for (std::size_t i = 0; i < carried; ++i) {
      const ir::Value& out = body.graph->value(body.graph->outputs[i + 1]);
      const ModelValue& in = *formals[i + 2];
      if (out.dtype != in.dtype || out.shape.size() != in.shape.size())
        return user_error(
            "node '{}': the carried value '{}' goes in as {}{} and comes out as {}{}; dtype and rank "
            "must stay the same",
            name, in.name, to_string(in.dtype), ir::to_string(in.shape), to_string(out.dtype),
            ir::to_string(out.shape));
      for (std::size_t axis = 0; axis < in.shape.size(); ++axis)
        if (!(in.shape[axis] == out.shape[axis]) && open[i].insert(axis).second) settled = false;
    }
  }

  std::vector<std::pair<DType, Shape>> types;
  std::vector<Dim> symbols;
  for (std::size_t i = 0; i < carried; ++i)
    types.emplace_back(spec.initial[i]->dtype, with_new_symbols(spec.initial[i]->shape, open[i], builder_, symbols));
  // Where nothing ends it early, it is as long as it was asked to be.
  const auto always = [](const ModelValue& v) {
    return v.known && v.known->values.size() == 1 && v.known->values[0].is(1);
  };
  std::optional<Dim> length;
  if (always(*body.outputs[0]) && always(*spec.condition) && spec.trips->known) {
    length = max_of(spec.trips->known->values[0], Dim(0), builder_.symbols());
  } else if (body.outputs.size() > carried + 1) {
    length = builder_.new_symbol();
    symbols.push_back(*length);
  }
  for (std::size_t i = carried + 1; i < body.outputs.size(); ++i) {
    const ir::Value& out = body.graph->value(body.graph->outputs[i]);
    std::set<std::size_t> hidden;
    Shape shape = visible_shape(out.shape, builder_, hidden);
    shape = with_new_symbols(std::move(shape), hidden, builder_, symbols);
    shape.insert(shape.begin(), *length);
    types.emplace_back(out.dtype, std::move(shape));
  }
  if (static_cast<int>(types.size()) != node.output_size())
    return user_error("node '{}' has {} outputs, and its body gives {}", name, node.output_size(), types.size());
  return builder_.hosted(
      Op::loop, std::move(inputs), types, symbols,
      {{"body", std::shared_ptr<const ir::Graph>(body.graph)}, {"carried", static_cast<std::int64_t>(carried)}});
}

Status ModelImporter::import_loop(const NodeProto& node, Scope& scope, const std::vector<ModelValuePtr>& inputs) {
  const std::string name = builder_.node_name();
  const AttributeProto* attribute = find_attribute(node, "body");
  if (attribute == nullptr || !attribute->has_g()) return user_error("operator 'Loop' at node '{}' has no body", name);
  if (has_structure(attribute->g(), inputs, scope)) return import_unrolled_loop(node, scope, inputs);
  LoopSpec spec;
  spec.body = &attribute->g();
  const auto has = [&](std::size_t i) { return i < inputs.size() && inputs[i] != nullptr; };
  spec.trips = has(0) ? inputs[0] : make_known("trips", DType::i64, ShapeTensor::scalar(Dim(INT64_MAX)));
  spec.condition = has(1) ? inputs[1] : make_known("condition", DType::boolean, ShapeTensor::scalar(Dim(1)));
  if (spec.trips->dtype != DType::i64 || spec.condition->dtype != DType::boolean)
    return user_error("operator 'Loop' at node '{}' takes int64 trips and a bool condition, not {} and {}", name,
                      to_string(spec.trips->dtype), to_string(spec.condition->dtype));
  const std::size_t carried = inputs.size() > 2 ? inputs.size() - 2 : 0;
  if (spec.body->input_size() != static_cast<int>(carried) + 2)
    return user_error("operator 'Loop' at node '{}' carries {} values, and its body has {} inputs", name, carried,
                      spec.body->input_size());
  spec.iteration = spec.body->input(0).name();
  spec.own_condition = spec.body->input(1).name();
  for (std::size_t i = 0; i < carried; ++i) {
    if (inputs[i + 2] == nullptr) return user_error("operator 'Loop' at node '{}' lacks input {}", name, i + 2);
    spec.initial.push_back(inputs[i + 2]);
    spec.carried_names.push_back(spec.body->input(static_cast<int>(i) + 2).name());
  }
  JITNEY_TRY(const auto ids, add_loop(node, scope, spec));
  return set_outputs(node, scope, ids);
}

}  // namespace jitney::onnx
