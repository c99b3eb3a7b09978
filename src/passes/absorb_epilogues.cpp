// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "passes/absorb_epilogues.h"

#include "passes/call.h"
#include "passes/regions.h"
#include "passes/rewrite.h"
#include "passes/views.h"

namespace jitney::passes {

namespace {

using ir::Op;
using ir::ValueId;

class Absorber {
 public:
  Absorber(const ir::Graph& graph, const LowerOptions& options)
      : g_(graph), options_(options), uses_(g_.use_counts()), reader_(g_.values.size(), -1), maker_(g_.producers()) {
    for (std::size_t n = 0; n < g_.nodes.size(); ++n)
      for (ValueId in : g_.nodes[n].inputs)
        if (in != ir::kNoValue) reader_[static_cast<std::size_t>(in)] = static_cast<int>(n);
  }

  ir::Graph run() {
    std::vector<bool> gone(g_.nodes.size(), false);
    for (std::size_t n = 0; n < g_.nodes.size(); ++n) {
      if (gone[n]) continue;
      // The call moves on from node to node; `n` itself keeps its place in the walk.
      for (std::size_t at = n; is_call(g_.nodes[at]);) {
        ValueId result = g_.nodes[at].outputs[0];
        if (uses_[static_cast<std::size_t>(result)] != 1) break;
        int next = reader_[static_cast<std::size_t>(result)];
        if (next < 0) break;
        auto longer = extended(g_.nodes[at], g_.nodes[static_cast<std::size_t>(next)]);
        if (!longer) break;
        gone[at] = true;
        at = static_cast<std::size_t>(next);
        g_.nodes[at] = std::move(*longer);
        for (ValueId in : g_.nodes[at].inputs)
          if (uses_[static_cast<std::size_t>(in)] == 1) reader_[static_cast<std::size_t>(in)] = next;
        maker_[static_cast<std::size_t>(g_.nodes[at].outputs[0])] = next;
      }
    }
    std::vector<ir::Node> kept;
    for (std::size_t n = 0; n < g_.nodes.size(); ++n)
      if (!gone[n]) kept.push_back(std::move(g_.nodes[n]));
    g_.nodes = std::move(kept);
    return std::move(g_);
  }

 private:
  ir::Graph g_;
  const LowerOptions& options_;
  std::vector<int> uses_, reader_, maker_;

  static bool is_call(const ir::Node& node) {
    return node.op == Op::region && node.integer("kind") == static_cast<std::int64_t>(RegionKind::call);
  }

  bool is_constant_view(ValueId id) const {
    while (!g_.is_constant(id)) {
      int p = maker_[static_cast<std::size_t>(id)];
      if (p < 0 || info(g_.nodes[static_cast<std::size_t>(p)].op).family != ir::OpFamily::view) return false;
      id = g_.nodes[static_cast<std::size_t>(p)].inputs[0];
    }
    return true;
  }

  /// The call with `next` in its body, standing where `next` stands; nothing when that is no call any more.
  std::optional<ir::Node> extended(const ir::Node& call, const ir::Node& next) const {
    const auto& out = g_.value(next.outputs[0]);
    if (!ir::is_elementwise(next.op) || !(out.shape == g_.value(call.outputs[0]).shape)) return std::nullopt;
    auto body = std::make_shared<ir::Graph>(call.graph("body"));
    ir::Node result = call;
    result.outputs = next.outputs;
    std::vector<ValueId> arguments;
    for (ValueId in : next.inputs) {
      if (in == ir::kNoValue) return std::nullopt;
      const auto& v = g_.value(in);
      if (in == call.outputs[0]) {
        arguments.push_back(body->outputs[0]);
      } else if (scalar_constant(g_, in)) {
        arguments.push_back(body->add_constant(body->unused_name(v.name), *v.constant));
      } else {
        arguments.push_back(body->add_value(body->unused_name(v.name), v.dtype, v.shape));
        body->inputs.push_back(arguments.back());
        result.inputs.push_back(in);
      }
    }
    body->outputs = {body->add_body_node(next.op, out.name, arguments, out.dtype, out.shape, next.attributes)};
    std::vector<CallOperand> operands(body->inputs.size());
    for (std::size_t i = 0; i < operands.size(); ++i) {
      operands[i].is_constant = is_constant_view(result.inputs[i]);
      for (const auto& d : contiguous_strides(body->value(body->inputs[i]).shape))
        operands[i].strides.push_back(constant_extent(d));
    }
    auto described = describe_call(*body, operands, constant_extent);
    if (!described || !options_.offers(*described)) return std::nullopt;
    result.attributes["body"] = std::shared_ptr<const ir::Graph>(std::move(body));
    return result;
  }
};

}  // namespace

Expected<ir::Graph> absorb_epilogues(const ir::Graph& graph, const LowerOptions& options) {
  return Absorber(graph, options).run();
}

}  // namespace jitney::passes
