// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cstring>
#include <new>

#include "ir/hosted.h"
#include "ir/interpret_internal.h"
#include "ir/verify_internal.h"

namespace jitney::ir {
namespace {

Status run_node(const NodeRun& run) {
  switch (run.node.op) {
    case Op::pad: return interpret_pad(run);
    case Op::concat: return interpret_concat(run);
    case Op::gather: return interpret_gather(run);
    case Op::gather_elements: return interpret_gather_elements(run);
    case Op::gather_nd: return interpret_gather_nd(run);
    case Op::gather_grid: return interpret_gather_grid(run);
    case Op::scatter_elements:
    case Op::scatter_nd: return interpret_scatter(run);
    case Op::top_k: return interpret_top_k(run);
    case Op::matmul: return interpret_matmul(run);
    case Op::conv: return interpret_conv(run);
    case Op::conv_transpose: return interpret_conv_transpose(run);
    case Op::attention: return interpret_attention(run);
    case Op::max_pool:
    case Op::avg_pool: return interpret_pool(run);
    default: break;
  }
  switch (info(run.node.op).family) {
    case OpFamily::unary: return interpret_unary(run);
    case OpFamily::binary: return interpret_binary(run);
    case OpFamily::ternary: return interpret_where(run);
    case OpFamily::cast: return interpret_cast(run);
    case OpFamily::source: return interpret_source(run);
    case OpFamily::view: return interpret_view(run);
    case OpFamily::reduce: return interpret_reduce(run);
    case OpFamily::scan: return interpret_scan(run);
    case OpFamily::normalize: return interpret_normalize(run);
    default: return internal_error("the reference interpreter does not know {}", info(run.node.op).name);
  }
}

Tensor deep_copy(const Tensor& t) {
  Tensor copy(t.dtype(), t.shape());
  if (t.num_bytes() != 0) std::memcpy(copy.data(), t.data(), t.num_bytes());
  return copy;
}

Value concrete_value(const std::string& name, const Tensor& t) {
  return {name, t.dtype(), Shape(t.shape().begin(), t.shape().end()), nullptr};
}

/// The node alone, with the extents it has now: what symbols left open is decided here, before memory is touched.
Status check_types(const Graph& graph, const Node& node, const std::vector<const Tensor*>& inputs,
                   const std::vector<Tensor>& outputs) {
  if (inputs.size() != node.inputs.size()) {
    return internal_error("{} inputs were given for {}", inputs.size(), node.inputs.size());
  }
  Graph alone;
  Node now = node;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    now.inputs[i] = kNoValue;
    if ((inputs[i] == nullptr) != (node.inputs[i] == kNoValue)) return internal_error("input {} is missing", i);
    if (inputs[i] == nullptr) continue;
    now.inputs[i] = static_cast<ValueId>(alone.values.size());
    alone.values.push_back(concrete_value(graph.value(node.inputs[i]).name, *inputs[i]));
  }
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    now.outputs[i] = static_cast<ValueId>(alone.values.size());
    alone.values.push_back(concrete_value(graph.value(node.outputs[i]).name, outputs[i]));
  }
  JITNEY_CHECK(verify_attributes(now));
  return verify_types(alone, now);
}

Expected<std::vector<Tensor>> run_checked(const Graph& graph, const Node& node,
                                          const std::vector<const Tensor*>& inputs, const SymbolValues& symbols) {
  std::vector<Tensor> outputs;
  for (const ValueId id : node.outputs) {
    JITNEY_TRY(auto extents, evaluate(graph.value(id).shape, symbols));
    outputs.emplace_back(graph.value(id).dtype, std::move(extents));
  }
  JITNEY_CHECK(check_types(graph, node, inputs, outputs));
  if (node.op == Op::region) return interpret_body(node.graph("body"), inputs, symbols);
  JITNEY_CHECK(run_node({node, inputs, symbols, outputs[0]}));
  return outputs;
}

}  // namespace

Expected<std::vector<Tensor>> interpret_node(const Graph& graph, const Node& node,
                                             const std::vector<const Tensor*>& inputs, const SymbolValues& symbols) {
  const auto explain = [&](Failure f) {
    f.message = fmt::format("{} '{}': {}", info(node.op).name, node.name, f.message);
    return f;
  };
  try {
    return run_checked(graph, node, inputs, symbols).map_error(explain);
  } catch (const Error& e) {  // from Tensor: too large, or no memory
    return tl::unexpected(explain({e.kind(), e.what()}));
  } catch (const std::bad_alloc&) {
    return tl::unexpected(explain({ErrorKind::environment, "no memory to run it on the host"}));
  }
}

namespace {

/// Gives the symbols that the node defines their values.
Expected<std::vector<Tensor>> interpret_hosted_node(const Graph& graph, const Node& node,
                                                    const std::vector<const Tensor*>& inputs, SymbolValues& symbols) {
  Tensor none;
  auto outputs = node.op == Op::branch || node.op == Op::loop || node.op == Op::stage
                     ? interpret_control(node, inputs, symbols)
                     : interpret_hosted({node, inputs, symbols, none});
  const auto explain = [&](Failure f) {
    f.message = fmt::format("{} '{}': {}", info(node.op).name, node.name, f.message);
    return f;
  };
  if (!outputs) return std::move(outputs).map_error(explain);
  JITNEY_CHECK(bind_outputs(graph, node, *outputs, symbols).map_error(explain));
  for (const Guard& guard : graph.guards) {
    if (is_decidable(guard, symbols)) JITNEY_CHECK(check_guard(guard, symbols));
  }
  return outputs;
}

Expected<std::vector<Tensor>> walk(const Graph& graph, const std::vector<const Tensor*>& inputs, SymbolValues symbols) {
  if (inputs.size() != graph.inputs.size()) {
    return internal_error("graph '{}' has {} inputs, and {} were given", graph.name, graph.inputs.size(),
                          inputs.size());
  }
  std::vector<Tensor> owned(graph.values.size());
  std::vector<const Tensor*> values(graph.values.size(), nullptr);
  for (std::size_t i = 0; i < graph.values.size(); ++i) values[i] = graph.values[i].constant.get();
  for (std::size_t i = 0; i < inputs.size(); ++i) values[static_cast<std::size_t>(graph.inputs[i])] = inputs[i];
  std::vector<int> uses = graph.use_counts();
  for (const Node& node : graph.nodes) {
    std::vector<const Tensor*> arguments;
    for (const ValueId id : node.inputs)
      arguments.push_back(id == kNoValue ? nullptr : values[static_cast<std::size_t>(id)]);
    JITNEY_TRY(auto results, is_hosted(node.op) ? interpret_hosted_node(graph, node, arguments, symbols)
                                                : interpret_node(graph, node, arguments, symbols));
    for (std::size_t i = 0; i < results.size(); ++i) {
      const auto at = static_cast<std::size_t>(node.outputs[i]);
      owned[at] = std::move(results[i]);
      values[at] = &owned[at];
    }
    for (const ValueId id : node.inputs) {
      // Activations of a large model do not fit into memory all at once.
      if (id != kNoValue && --uses[static_cast<std::size_t>(id)] == 0) owned[static_cast<std::size_t>(id)] = Tensor();
    }
  }
  std::vector<Tensor> outputs;
  for (const ValueId id : graph.outputs) {
    const Tensor* value = values[static_cast<std::size_t>(id)];
    if (value == nullptr) return internal_error("output '{}' was not computed", graph.value(id).name);
    const bool is_own = value == &owned[static_cast<std::size_t>(id)];
    outputs.push_back(is_own ? *value : deep_copy(*value));  // nobody may write into an input or a constant
  }
  return outputs;
}

}  // namespace

Expected<std::vector<Tensor>> interpret_body(const Graph& graph, const std::vector<const Tensor*>& inputs,
                                             const SymbolValues& symbols) {
  try {
    return walk(graph, inputs, symbols);
  } catch (const Error& e) {  // no memory for a copied output
    return tl::unexpected(Failure{e.kind(), e.what()});
  } catch (const std::bad_alloc&) {
    return environment_error("no memory to run '{}' on the host", graph.name);
  }
}

Expected<std::vector<Tensor>> interpret(const Graph& graph, const std::vector<Tensor>& inputs) {
  std::vector<std::vector<std::int64_t>> shapes;
  std::vector<const Tensor*> pointers;
  for (const Tensor& t : inputs) {
    shapes.push_back(t.shape());
    pointers.push_back(&t);
  }
  JITNEY_TRY(const SymbolValues symbols, bind_symbols(graph, shapes));
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const Value& v = graph.value(graph.inputs[i]);
    if (v.dtype != inputs[i].dtype()) {
      return user_error("input '{}' is {}; {} is expected", v.name, to_string(inputs[i].dtype()), to_string(v.dtype));
    }
  }
  return interpret_body(graph, pointers, symbols);
}

}  // namespace jitney::ir
