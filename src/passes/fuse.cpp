// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
// Builds the fused graph from the grouping in regions.cpp: one region node a group, views between them. A view that
// strides cannot express gets a copy before it; a graph output that is no region's own buffer gets a copy too.
#include "passes/fuse.h"

#include <algorithm>
#include <set>

#include "passes/regions.h"
#include "passes/rewrite.h"
#include "passes/views.h"

namespace jitney::passes {

namespace {

using ir::Op;
using ir::ValueId;

class Fuser {
 public:
  explicit Fuser(const ir::Graph& graph)
      : g_(graph), rw_(graph), producer_(graph.producers()), grouping_(group(graph)) {}

  Expected<ir::Graph> run() {
    find_escaping();
    for (std::size_t r = 0; r < grouping_.regions.size(); ++r) JITNEY_CHECK(emit_region(static_cast<int>(r)));
    std::vector<ValueId> outputs;
    std::set<ValueId> taken;
    for (ValueId id : g_.outputs) {
      JITNEY_TRY(ValueId now, ensure(id));
      if (!is_whole_region_output(now) || taken.contains(view_of(now).root)) now = copy(now, g_.value(id).name);
      taken.insert(view_of(now).root);
      outputs.push_back(now);
    }
    rw_.to.outputs = std::move(outputs);
    return std::move(rw_.to);
  }

 private:
  const ir::Graph& g_;
  Rewriter rw_;
  std::vector<int> producer_;
  Grouping grouping_;
  std::vector<bool> escapes_;        // values that something outside their region uses
  std::vector<StridedView> views_;   // of values in rw_.to
  std::set<ValueId> emitted_views_;  // old ids

  void find_escaping() {
    escapes_.assign(g_.values.size(), false);
    for (ValueId id : g_.outputs) escapes_[static_cast<std::size_t>(id)] = true;
    for (std::size_t n = 0; n < g_.nodes.size(); ++n)
      for (ValueId in : g_.nodes[n].inputs) {
        if (in == ir::kNoValue) continue;
        int p = producer_[static_cast<std::size_t>(in)];
        if (p >= 0 &&
            (grouping_.region_of[n] < 0 || grouping_.region_of[n] != grouping_.region_of[static_cast<std::size_t>(p)]))
          escapes_[static_cast<std::size_t>(in)] = true;
      }
  }

  StridedView view_of(ValueId now) {
    auto at = static_cast<std::size_t>(now);
    for (std::size_t i = views_.size(); i <= at; ++i)
      views_.push_back({static_cast<ValueId>(i), ir::Dim(0), contiguous_strides(rw_.to.values[i].shape)});
    return views_[at];
  }

  /// Whether a value is all of a region's output, in order: the output itself or a reshape of it.
  bool is_whole_region_output(ValueId now) {
    StridedView view = view_of(now);
    bool made_by_region = false;
    for (const auto& node : rw_.to.nodes)
      if (node.op == Op::region)
        made_by_region =
            made_by_region || std::find(node.outputs.begin(), node.outputs.end(), view.root) != node.outputs.end();
    const auto& shape = rw_.to.value(now).shape;
    return made_by_region && view.offset.is(0) && view.strides == contiguous_strides(shape) &&
           product(shape) == product(rw_.to.value(view.root).shape);
  }

  /// The new value for an old one, with the views on the way to it emitted.
  Expected<ValueId> ensure(ValueId old) {
    // Iterative: chains of views can be long.
    std::vector<ValueId> chain;
    for (ValueId id = old;;) {
      int p = producer_[static_cast<std::size_t>(id)];
      if (p < 0 || grouping_.region_of[static_cast<std::size_t>(p)] >= 0 || emitted_views_.contains(id)) break;
      chain.push_back(id);
      id = g_.nodes[static_cast<std::size_t>(p)].inputs[0];
    }
    for (auto it = chain.rbegin(); it != chain.rend(); ++it) {
      const auto& node = g_.nodes[static_cast<std::size_t>(producer_[static_cast<std::size_t>(*it)])];
      ValueId input = rw_(node.inputs[0]);
      if (!view_through(g_, node, view_of(input))) input = copy(input, rw_.to.value(input).name);
      auto view = view_through(g_, node, view_of(input));
      if (!view) return internal_error("'{}' is no view of a contiguous buffer", node.name);
      const auto& out = g_.value(*it);
      ValueId now = rw_.emit(node.op, node.name, {input}, out.dtype, out.shape, node.attributes);
      view_of(now);
      views_[static_cast<std::size_t>(now)] = std::move(*view);
      rw_.replace(*it, now);
      emitted_views_.insert(*it);
    }
    return rw_(old);
  }

  /// A region that writes a view's elements contiguously.
  ValueId copy(ValueId now, const std::string& name) {
    auto body = std::make_shared<ir::Graph>();
    const auto v = rw_.to.value(now);
    body->inputs = {body->add_value(v.name, v.dtype, v.shape)};
    body->outputs = {body->add_node(Op::expand, "copy", body->inputs, v.dtype, v.shape)};
    ir::Attributes attributes{{"body", std::shared_ptr<const ir::Graph>(body)},
                              {"kind", static_cast<std::int64_t>(RegionKind::map)},
                              {"shape", v.shape},
                              {"axes", std::vector<std::int64_t>{}}};
    return rw_.emit(Op::region, name + ".copy", {now}, v.dtype, v.shape, std::move(attributes));
  }

  /// A library call keeps its body; inputs that a library cannot read where they lie are copied.
  Status emit_call(const ir::Node& node) {
    ir::Node call = node;
    const ir::Graph& body = node.graph("body");
    const auto has = [&](Op op) {
      return std::any_of(body.nodes.begin(), body.nodes.end(), [op](const auto& n) { return n.op == op; });
    };
    const bool is_matmul = has(Op::matmul), is_attention = has(Op::attention);
    for (std::size_t i = 0; i < call.inputs.size(); ++i) {
      JITNEY_TRY(ValueId now, ensure(node.inputs[i]));
      const auto& shape = rw_.to.value(now).shape;
      const StridedView view = view_of(now);
      bool fits = view.strides == contiguous_strides(shape);
      // Constant weights are packed from any strides; a matrix may lie in rows or in columns.
      if (i == 1 && !is_attention) fits = fits || rw_.to.is_constant(view.root);
      if (is_matmul && i < 2) fits = fits || is_matrix(shape, view.strides);
      if (is_attention) fits = fits || i % 2 == 1 || view.strides.back().is(1);
      call.inputs[i] = fits ? now : copy(now, rw_.to.value(now).name);
    }
    const auto& v = g_.value(node.outputs[0]);
    call.outputs = {rw_.to.add_value(v.name, v.dtype, v.shape)};
    rw_.replace(node.outputs[0], call.outputs[0]);
    rw_.to.nodes.push_back(std::move(call));
    return {};
  }

  static bool is_matrix(const ir::Shape& shape, const std::vector<ir::Dim>& strides) {
    for (std::size_t d = shape.size() - 2; d < shape.size(); ++d)
      if (strides[d].is(1) || shape[d].is(1)) return true;
    return false;
  }

  /// Nodes of a wrapped contraction, with its inputs and output taken from `inside`.
  void inline_body(const ir::Node& wrapped, ir::Graph& into, const std::map<ValueId, ValueId>& inside) {
    const ir::Graph& body = wrapped.graph("body");
    std::map<ValueId, ValueId> here;
    for (std::size_t i = 0; i < body.inputs.size(); ++i) here[body.inputs[i]] = inside.at(wrapped.inputs[i]);
    here[body.outputs[0]] = inside.at(wrapped.outputs[0]);
    for (std::size_t i = 0; i < body.values.size(); ++i) {
      const auto& v = body.values[i];
      auto id = static_cast<ValueId>(i);
      if (here.contains(id)) continue;
      here[id] = v.constant ? into.add_constant(rw_.fresh(v.name), *v.constant)
                            : into.add_value(rw_.fresh(v.name), v.dtype, v.shape);
    }
    for (ir::Node node : body.nodes) {
      for (auto* ids : {&node.inputs, &node.outputs})
        for (ValueId& id : *ids)
          if (id != ir::kNoValue) id = here.at(id);
      into.nodes.push_back(std::move(node));
    }
  }

  Status emit_region(int index) {
    const Region& region = grouping_.regions[static_cast<std::size_t>(index)];
    if (region.kind == RegionKind::call) return emit_call(g_.nodes[static_cast<std::size_t>(region.nodes[0])]);
    auto body = std::make_shared<ir::Graph>();
    ir::Node fused{Op::region, name_of(region), {}, {}, {}};
    std::map<ValueId, ValueId> inside;
    for (int n : region.nodes) {
      ir::Node node = g_.nodes[static_cast<std::size_t>(n)];
      for (ValueId& in : node.inputs) {
        if (in == ir::kNoValue) continue;
        auto known = inside.find(in);
        if (known == inside.end()) {
          const auto& v = g_.value(in);
          ValueId here;
          if (scalar_constant(g_, in)) {
            here = body->add_constant(v.name, *v.constant);
          } else {
            JITNEY_TRY(ValueId outer, ensure(in));
            here = body->add_value(v.name, v.dtype, v.shape);
            body->inputs.push_back(here);
            fused.inputs.push_back(outer);
          }
          known = inside.emplace(in, here).first;
        }
        in = known->second;
      }
      for (ValueId& out : node.outputs) {
        const auto& v = g_.value(out);
        ValueId here = body->add_value(v.name, v.dtype, v.shape);
        inside.emplace(out, here);
        if (escapes_[static_cast<std::size_t>(out)]) {
          body->outputs.push_back(here);
          fused.outputs.push_back(rw_.to.add_value(v.name, v.dtype, v.shape));
          rw_.replace(out, fused.outputs.back());
        }
        out = here;
      }
      if (node.op == Op::region)
        inline_body(g_.nodes[static_cast<std::size_t>(n)], *body, inside);
      else
        body->nodes.push_back(std::move(node));
    }
    fused.attributes = {{"body", std::shared_ptr<const ir::Graph>(body)},
                        {"kind", static_cast<std::int64_t>(region.kind)},
                        {"shape", region.shape},
                        {"axes", region.axes}};
    rw_.to.nodes.push_back(std::move(fused));
    return {};
  }

  /// Named after the node that says most about it: a contraction, reduction or movement, else its last one.
  std::string name_of(const Region& region) const {
    for (int n : region.nodes) {
      const auto& node = g_.nodes[static_cast<std::size_t>(n)];
      auto family = info(node.op).family;
      if (family == ir::OpFamily::contract || family == ir::OpFamily::reduce || family == ir::OpFamily::movement ||
          family == ir::OpFamily::region)
        return node.name;
    }
    return g_.nodes[static_cast<std::size_t>(region.nodes.back())].name;
  }
};

}  // namespace

Expected<ir::Graph> fuse(const ir::Graph& graph) { return Fuser(graph).run(); }

}  // namespace jitney::passes
