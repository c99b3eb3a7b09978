// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "passes/fold_constants.h"

#include <set>

#include "passes/rewrite.h"
#include "util/reloadable.h"

namespace jitney::passes {

namespace {

// A folded result may grow past its inputs by this much: beyond it, the model file would grow for little.
constexpr std::int64_t kMaxGrowth = 64 * 1024;
// What all of a graph's nodes may read, beside this many times what its constants have: no model needs more, unless it
// does the same to one constant thousands of times, which then costs its runs instead of its loading.
constexpr std::int64_t kMaxRead = 256 << 20, kMaxTimesRead = 16;

bool constant_dims(const ir::Node& node) {
  for (const auto& [key, value] : node.attributes)
    if (const auto* dims = std::get_if<std::vector<ir::Dim>>(&value))
      for (const auto& d : *dims)
        if (!d.is_constant()) return false;
  return true;
}

std::optional<std::int64_t> static_bytes(const ir::Value& v) {
  std::int64_t bytes = static_cast<std::int64_t>(size_of(v.dtype));
  for (const auto& d : v.shape) {
    auto c = d.constant();
    if (!c || __builtin_mul_overflow(bytes, *c, &bytes)) return std::nullopt;
  }
  return bytes;
}

/// A node with constant inputs, apart from the graph that it comes from. What it gives is computed when somebody wants
/// it: a large constant that is only moved about need not be in memory twice.
class Alone {
 public:
  Alone(const ir::Graph& graph, const ir::Node& node, const ir::Graph& constants,
        const std::vector<ir::ValueId>& inputs)
      : node_(node) {
    for (ir::ValueId& id : node_.inputs) id = add(graph, id);
    for (ir::ValueId& id : node_.outputs) id = add(graph, id);
    for (const ir::ValueId id : inputs) inputs_.push_back(id == ir::kNoValue ? nullptr : constants.value(id).constant);
  }
  Expected<Tensor> compute() const {
    std::vector<Tensor> held;
    std::vector<const Tensor*> tensors;
    held.reserve(inputs_.size());
    for (const auto& in : inputs_) {
      if (in) {
        JITNEY_TRY(held.emplace_back(), resident(*in));
      }
      tensors.push_back(in ? &held.back() : nullptr);
    }
    JITNEY_TRY(auto results, ir::interpret_node(types_, node_, tensors, {}));
    return std::move(results[0]);
  }

 private:
  ir::ValueId add(const ir::Graph& graph, ir::ValueId id) {
    return id == ir::kNoValue ? id
                              : types_.add_value(graph.value(id).name, graph.value(id).dtype, graph.value(id).shape);
  }
  ir::Graph types_;  ///< values without nodes
  ir::Node node_;
  std::vector<std::shared_ptr<const Tensor>> inputs_;
};

std::int64_t constant_bytes(const ir::Graph& graph) {
  std::int64_t bytes = 0;
  std::set<const Tensor*> seen;
  for (const auto& value : graph.values)
    if (value.constant && seen.insert(value.constant.get()).second)
      bytes += static_cast<std::int64_t>(value.constant->num_bytes());
  return bytes;
}

/// `times` its inputs' bytes, and a little more, are what a result may have.
Expected<ir::Graph> fold(const ir::Graph& graph, std::int64_t times) {
  Rewriter rw(graph);
  std::int64_t may_read = kMaxRead + kMaxTimesRead * constant_bytes(graph);
  for (const auto& node : graph.nodes) {
    std::int64_t input_bytes = 0;
    bool foldable = node.op != ir::Op::region && constant_dims(node) && node.outputs.size() == 1;
    std::vector<ir::ValueId> inputs = rw(node.inputs);
    for (ir::ValueId id : inputs) {
      if (id == ir::kNoValue) continue;
      if (!rw.to.is_constant(id))
        foldable = false;
      else
        input_bytes += static_cast<std::int64_t>(rw.to.value(id).constant->num_bytes());
    }
    auto bytes = static_bytes(graph.value(node.outputs[0]));
    if (!foldable || !bytes || *bytes > times * input_bytes + kMaxGrowth || input_bytes > may_read) {
      rw.copy(node);
      continue;
    }
    may_read -= input_bytes;
    const auto& out = graph.value(node.outputs[0]);
    auto alone = std::make_shared<const Alone>(graph, node, rw.to, inputs);
    std::vector<std::int64_t> shape;
    for (const auto& d : out.shape) shape.push_back(*d.constant());
    JITNEY_TRY(Tensor folded, derive(out.dtype, std::move(shape), [alone] { return alone->compute(); }));
    rw.replace(node.outputs[0], rw.to.add_constant(out.name, std::move(folded)));
  }
  return rw.finish();
}

}  // namespace

Expected<ir::Graph> fold_constants(const ir::Graph& graph) { return fold(graph, 1); }

Expected<ir::Graph> expand_constants(const ir::Graph& graph) { return fold(graph, 4); }

}  // namespace jitney::passes
