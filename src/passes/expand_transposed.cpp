// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "passes/expand_transposed.h"

#include "passes/contractions.h"
#include "passes/rewrite.h"

namespace jitney::passes {
namespace {

using ir::Dim;
using ir::Op;
using ir::ValueId;

class Expansion {
 public:
  Expansion(Rewriter& rw, const ir::Node& node)
      : rw_(rw),
        node_(node),
        x_(rw.from.value(node.inputs[0])),
        w_(rw.from.value(node.inputs[1])),
        out_(rw.from.value(node.outputs[0])),
        spatial_(x_.shape.size() - 2) {}

  ValueId run() {
    std::vector<ValueId> inputs{surrounded(spread(rw_(node_.inputs[0]))), exchanged(turned(rw_(node_.inputs[1])))};
    if (node_.inputs.size() > 2) inputs.push_back(rw_(node_.inputs[2]));
    return emit(Op::conv, inputs, out_.shape,
                {{"strides", std::vector<std::int64_t>(spatial_, 1)},
                 {"dilations", node_.integers("dilations")},
                 {"pads", std::vector<std::int64_t>(2 * spatial_, 0)},
                 {"groups", node_.integer("groups")}});
  }

 private:
  ValueId emit(Op op, std::vector<ValueId> in, const ir::Shape& shape, ir::Attributes attributes = {}) {
    return rw_.emit(op, node_.name, std::move(in), out_.dtype, shape, std::move(attributes));
  }
  ValueId pad(ValueId v, const ir::Shape& shape, const std::vector<Dim>& before) {
    return emit(Op::pad, {v}, shape, {{"before", before}, {"value", 0.0}, {"mode", std::string("constant")}});
  }
  ValueId cut(ValueId v, const ir::Shape& shape, const std::vector<Dim>& starts, const std::vector<Dim>& steps) {
    return emit(Op::slice, {v}, shape, {{"starts", starts}, {"steps", steps}});
  }
  const ir::Shape& shape_of(ValueId v) const { return rw_.to.value(v).shape; }

  /// [.., extent, ..] with stride - 1 zeros after each element but the last. An input without elements has none either.
  ValueId spread(ValueId v) {
    for (std::size_t d = 0; d < spatial_; ++d) {
      const std::int64_t stride = node_.integers("strides")[d];
      if (stride == 1) continue;
      ir::Shape shape = shape_of(v);
      const auto axis = d + 2;
      const Dim extent = shape[axis];
      ir::Shape split = shape;
      split.insert(split.begin() + static_cast<std::ptrdiff_t>(axis) + 1, Dim(1));
      v = emit(Op::reshape, {v}, split);
      split[axis + 1] = stride;
      v = pad(v, split, std::vector<Dim>(split.size(), Dim(0)));
      shape[axis] = extent * Dim(stride);
      v = emit(Op::reshape, {v}, shape);
      // The zeros after the last element are cut off with the padding below.
    }
    return v;
  }

  /// With as many zeros around it as the windows need: negative where they are fewer than none.
  ValueId surrounded(ValueId v) {
    ir::Shape shape = shape_of(v);
    std::vector<Dim> before(shape.size(), Dim(0));
    for (std::size_t d = 0; d < spatial_; ++d) {
      const Dim reach = Dim(node_.integers("dilations")[d]) * (w_.shape[d + 2] - Dim(1));
      before[d + 2] = reach - Dim(node_.integers("pads")[d]);
      shape[d + 2] = out_.shape[d + 2] + reach;
    }
    return pad(v, shape, before);
  }

  /// The kernel's axes reversed.
  ValueId turned(ValueId v) {
    std::vector<Dim> starts(w_.shape.size(), Dim(0)), steps(w_.shape.size(), Dim(1));
    for (std::size_t d = 0; d < spatial_; ++d) {
      starts[d + 2] = w_.shape[d + 2] - Dim(1);
      steps[d + 2] = Dim(-1);
    }
    return cut(v, w_.shape, starts, steps);
  }

  /// [c, o/g, k...] as [o, c/g, k...].
  ValueId exchanged(ValueId v) {
    const std::int64_t groups = node_.integer("groups");
    const Dim in_group = Dim::floordiv(w_.shape[0], groups), out_group = w_.shape[1];
    ir::Shape apart{groups, in_group, out_group}, swapped{groups, out_group, in_group},
        together{out_group * Dim(groups), in_group};
    std::vector<std::int64_t> perm{0, 2, 1};
    for (std::size_t d = 2; d < w_.shape.size(); ++d) {
      for (auto* shape : {&apart, &swapped, &together}) shape->push_back(w_.shape[d]);
      perm.push_back(static_cast<std::int64_t>(d) + 1);
    }
    v = emit(Op::reshape, {v}, apart);
    v = emit(Op::permute, {v}, swapped, {{"perm", perm}});
    return emit(Op::reshape, {v}, together);
  }

  Rewriter& rw_;
  const ir::Node& node_;
  const ir::Value &x_, &w_, &out_;
  const std::size_t spatial_;
};

}  // namespace

Expected<ir::Graph> expand_transposed(const ir::Graph& graph, const LowerOptions& options) {
  Rewriter rw(graph);
  for (const auto& node : graph.nodes) {
    if (node.op == Op::conv_transpose && !is_offered(graph, node, options))
      rw.replace(node.outputs[0], Expansion(rw, node).run());
    else
      rw.copy(node);
  }
  return rw.finish();
}

}  // namespace jitney::passes
