// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "passes/fold_constants.h"

#include "passes/rewrite.h"

namespace jitney::passes {

namespace {

// A folded result may grow past its inputs by this much: beyond it, the model file would grow for little.
constexpr std::int64_t kMaxGrowth = 64 * 1024;

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

}  // namespace

Expected<ir::Graph> fold_constants(const ir::Graph& graph) {
  Rewriter rw(graph);
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
    if (!foldable || !bytes || *bytes > input_bytes + kMaxGrowth) {
      rw.copy(node);
      continue;
    }
    std::vector<const Tensor*> tensors;
    for (ir::ValueId id : inputs) tensors.push_back(id == ir::kNoValue ? nullptr : rw.to.value(id).constant.get());
    JITNEY_TRY(auto results, ir::interpret_node(graph, node, tensors, {}));
    rw.replace(node.outputs[0], rw.to.add_constant(graph.value(node.outputs[0]).name, std::move(results[0])));
  }
  return rw.finish();
}

}  // namespace jitney::passes
