// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "passes/contractions.h"

#include <cstring>
#include <set>

#include "passes/call.h"
#include "passes/permutation.h"
#include "passes/regions.h"
#include "passes/rewrite.h"
#include "passes/views.h"
#include "util/reloadable.h"

namespace jitney::passes {

namespace {

using ir::Op;
using ir::ValueId;

/// Constant weights [o, c, k...] as a constant [c, k..., o], seen as they were.
Expected<Tensor> outer_axis_last(const Tensor& weights, const std::vector<std::int64_t>& moved) {
  JITNEY_TRY(const Tensor w, resident(weights));
  const auto outer = moved.back(), inner = outer == 0 ? 0 : w.num_elements() / outer;
  Tensor t(w.dtype(), moved);
  const auto size = static_cast<std::int64_t>(size_of(w.dtype()));
  for (std::int64_t o = 0; o < outer; ++o)
    for (std::int64_t i = 0; i < inner; ++i)
      std::memcpy(static_cast<char*>(t.data()) + (i * outer + o) * size,
                  static_cast<const char*>(w.data()) + (o * inner + i) * size, static_cast<std::size_t>(size));
  return t;
}

ValueId lay_out_weights(Rewriter& rw, const ir::Node& node) {
  const Tensor& w = *rw.from.value(node.inputs[1]).constant;
  const auto& shape = w.shape();
  std::vector<std::int64_t> moved(shape.begin() + 1, shape.end());
  moved.push_back(shape[0]);
  Tensor t = value_or_throw(derive(w.dtype(), moved, [w, moved] { return outer_axis_last(w, moved); }));
  std::vector<std::int64_t> back{static_cast<std::int64_t>(shape.size()) - 1};
  for (std::int64_t d = 0; d + 1 < static_cast<std::int64_t>(shape.size()); ++d) back.push_back(d);
  const auto& v = rw.from.value(node.inputs[1]);
  ValueId constant = rw.to.add_constant(rw.fresh(v.name), std::move(t));
  return rw.emit(Op::permute, node.name, {constant}, v.dtype, v.shape, {{"perm", back}});
}

/// The body of a region that does `node`; for convolutions and poolings on channels-last activations.
std::shared_ptr<ir::Graph> body_of(const ir::Graph& g, const ir::Node& node, bool channels_last) {
  auto body = std::make_shared<ir::Graph>();
  std::vector<ValueId> arguments;
  for (std::size_t i = 0; i < node.inputs.size(); ++i) {
    if (node.inputs[i] == ir::kNoValue) continue;
    const auto& v = g.value(node.inputs[i]);
    bool moved = channels_last && i == 0;
    auto perm = to_channels_last(v.shape.size());
    ValueId in = body->add_value(body->unused_name(v.name), v.dtype, moved ? permuted(v.shape, perm) : v.shape);
    body->inputs.push_back(in);
    if (moved)
      in = body->add_body_node(Op::permute, v.name + ".planes", {in}, v.dtype, v.shape, {{"perm", inverse(perm)}});
    arguments.push_back(in);
  }
  const auto& out = g.value(node.outputs[0]);
  ValueId result = body->add_body_node(node.op, node.name, arguments, out.dtype, out.shape, node.attributes);
  if (channels_last) {
    auto perm = to_channels_last(out.shape.size());
    result = body->add_body_node(Op::permute, node.name + ".last", {result}, out.dtype, permuted(out.shape, perm),
                                 {{"perm", perm}});
  }
  body->outputs = {result};
  return body;
}

/// Whether a value is a constant, or a view of one.
bool is_constant_view(const ir::Graph& g, const std::vector<int>& producer, ValueId id) {
  while (!g.is_constant(id)) {
    int p = producer[static_cast<std::size_t>(id)];
    if (p < 0 || info(g.nodes[static_cast<std::size_t>(p)].op).family != ir::OpFamily::view) return false;
    id = g.nodes[static_cast<std::size_t>(p)].inputs[0];
  }
  return true;
}

bool backend_offers(const ir::Graph& g, const std::vector<int>& producer, const ir::Node& node, const ir::Graph& body,
                    const LowerOptions& options) {
  std::vector<CallOperand> operands(body.inputs.size());
  for (std::size_t i = 0; i < body.inputs.size(); ++i) {
    operands[i].is_constant = is_constant_view(g, producer, node.inputs[i]);
    for (const auto& d : contiguous_strides(body.value(body.inputs[i]).shape))
      operands[i].strides.push_back(constant_extent(d));
  }
  auto call = describe_call(body, operands, constant_extent);
  return call && options.offers(*call);
}

class Wrapper {
 public:
  Wrapper(const ir::Graph& graph, const LowerOptions& options)
      : g_(graph), options_(options), rw_(graph), producer_(graph.producers()), uses_(graph.use_counts()) {}

  ir::Graph run() {
    for (const auto& node : g_.nodes) {
      switch (node.op) {
        case Op::conv:
        case Op::conv_transpose:
        case Op::max_pool:
        case Op::avg_pool: wrap_window(node); break;
        case Op::matmul: wrap_matmul(node); break;
        case Op::attention: wrap_attention(node); break;
        case Op::permute:
          if (!written_.contains(node.outputs[0])) rw_.copy(node);
          break;
        default: rw_.copy(node);
      }
    }
    return rw_.finish();
  }

 private:
  const ir::Graph& g_;
  const LowerOptions& options_;
  Rewriter rw_;
  std::vector<int> producer_, uses_;
  std::set<ValueId> written_;  // results of permutes that attentions write

  bool offered(const ir::Node& node, const ir::Graph& body) {
    return backend_offers(g_, producer_, node, body, options_);
  }

  ValueId emit_region(const ir::Node& node, RegionKind kind, std::shared_ptr<const ir::Graph> body,
                      std::vector<ValueId> inputs) {
    const auto& out = body->value(body->outputs[0]);
    return rw_.emit(Op::region, node.name, std::move(inputs), out.dtype, out.shape,
                    {{"body", body},
                     {"kind", static_cast<std::int64_t>(kind)},
                     {"shape", out.shape},
                     {"axes", std::vector<std::int64_t>{}}});
  }

  void wrap_matmul(const ir::Node& node) {
    auto body = body_of(g_, node, false);
    if (!offered(node, *body)) return rw_.copy(node);
    rw_.replace(node.outputs[0], emit_region(node, RegionKind::call, body, rw_(node.inputs)));
  }

  /// Heads side by side are what comes next, mostly: a permute of the result is written at once.
  void wrap_attention(const ir::Node& node) {
    auto body = body_of(g_, node, false);
    ValueId out = node.outputs[0];
    const ir::Node* permute = nullptr;
    for (const auto& user : g_.nodes)
      if (user.op == Op::permute && user.inputs[0] == out) permute = &user;
    const auto rank = static_cast<std::int64_t>(g_.value(out).shape.size());
    if (permute && uses_[static_cast<std::size_t>(out)] == 1 && permute->integers("perm").back() == rank - 1) {
      out = permute->outputs[0];
      const auto& v = g_.value(out);
      body->outputs = {body->add_body_node(Op::permute, permute->name, body->outputs, v.dtype, v.shape,
                                           {{"perm", permute->integers("perm")}})};
      written_.insert(out);
    }
    rw_.replace(out, emit_region(node, RegionKind::call, body, rw_(node.inputs)));
  }

  void wrap_window(const ir::Node& node) {
    auto body = body_of(g_, node, true);
    bool call = offered(node, *body);
    const auto& x = g_.value(node.inputs[0]);
    auto perm = to_channels_last(x.shape.size());
    std::vector<ValueId> inputs{
        rw_.emit(Op::permute, node.name, {rw_(node.inputs[0])}, x.dtype, permuted(x.shape, perm), {{"perm", perm}})};
    for (std::size_t i = 1; i < node.inputs.size(); ++i) {
      if (node.inputs[i] == ir::kNoValue) continue;
      bool lay_out = !call && i == 1 && node.op == Op::conv && g_.is_constant(node.inputs[i]);
      inputs.push_back(lay_out ? lay_out_weights(rw_, node) : rw_(node.inputs[i]));
    }
    ValueId y = emit_region(node, call ? RegionKind::call : RegionKind::contract, body, std::move(inputs));
    const auto& out = g_.value(node.outputs[0]);
    rw_.replace(node.outputs[0], rw_.emit(Op::permute, node.name, {y}, out.dtype, out.shape,
                                          {{"perm", inverse(to_channels_last(out.shape.size()))}}));
  }
};

}  // namespace

bool is_offered(const ir::Graph& graph, const ir::Node& node, const LowerOptions& options) {
  return backend_offers(graph, graph.producers(), node, *body_of(graph, node, true), options);
}

Expected<ir::Graph> wrap_contractions(const ir::Graph& graph, const LowerOptions& options) {
  return Wrapper(graph, options).run();
}

}  // namespace jitney::passes
