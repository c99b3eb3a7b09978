// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
// NegativeLogLikelihoodLoss and SoftmaxCrossEntropyLoss: losses as models hold them that score their own output.
#include "frontend/onnx/arithmetic.h"
#include "frontend/onnx/registry.h"

namespace jitney::onnx {
namespace {

using ir::Dim;
using ir::Op;
using ir::Shape;
using ir::ValueId;

/// The loss of log probabilities [n, c, d...], given classes [n, d...] (input 1) and weights of classes (input 2).
Expected<ValueId> likelihood_loss(NodeContext& c, ValueId log_probability) {
  const std::string reduction = c.text("reduction", "mean");
  if (reduction != "none" && reduction != "mean" && reduction != "sum")
    return c.error("reduction is '{}'; none, mean and sum are allowed", reduction);
  const Shape shape = c.shape(0), classes = c.shape(1);
  if (shape.size() < 2 || classes.size() + 1 != shape.size())
    return c.error("its scores must be [n, c, d...] and its target [n, d...]; they are {} and {}", ir::to_string(shape),
                   ir::to_string(classes));
  if (c.has(2) && c.rank(2) != 1) return c.error("the weight must have rank 1, not {}", c.rank(2));
  GraphBuilder& b = c.b;
  const Arithmetic m{b, c.dtype(0)}, index{b, c.dtype(1)};
  ValueId target = c.value(1), counts = ir::kNoValue;
  if (c.has_attribute("ignore_index")) {
    const ValueId ignored = index.number(static_cast<double>(c.integer("ignore_index", 0)));
    counts = b.unary(Op::logical_not, index.equal(target, ignored));
    target = index.where(counts, target, index.number(0.0));
  }
  Shape column = classes;
  column.insert(column.begin() + 1, Dim(1));
  const ValueId chosen =
      b.node(Op::gather_elements, {log_probability, b.reshape(target, column)}, {{"axis", std::int64_t{1}}});
  ValueId loss = m.neg(b.reshape(chosen, classes));
  ValueId weight = ir::kNoValue;
  if (c.has(2)) {
    b.require(ir::Guard::Relation::equal, c.shape(2)[0], shape[1],
              fmt::format("{}: the weight must have one element for each class", c.label()));
    weight = b.node(Op::gather, {c.value(2), target}, {{"axis", std::int64_t{0}}});
    loss = m.mul(loss, weight);
  } else if (counts != ir::kNoValue) {
    weight = m.number(1.0);
  }
  if (counts != ir::kNoValue) {
    // Selected, not multiplied: what is ignored may be infinite.
    loss = m.where(counts, loss, m.number(0.0));
    weight = m.where(counts, weight, m.number(0.0));
  }
  if (reduction == "none") return loss;
  const auto all = axes_from(0, static_cast<int>(classes.size()));
  if (reduction == "mean" && weight == ir::kNoValue) return b.reduce(Op::reduce_mean, loss, all, false);
  const ValueId sum = b.reduce(Op::reduce_sum, loss, all, false);
  if (reduction == "sum") return sum;
  return m.div(sum, b.reduce(Op::reduce_sum, weight, all, false));
}

Status negative_log_likelihood(NodeContext& c) {
  JITNEY_TRY(const ValueId loss, likelihood_loss(c, c.value(0)));
  return c.set(0, loss);
}

Status softmax_cross_entropy(NodeContext& c) {
  if (c.rank(0) < 2) return c.error("its scores must be [n, c, d...], not {}", ir::to_string(c.shape(0)));
  const ValueId log_probability = c.b.node(Op::log_softmax, {c.value(0)}, {{"axis", std::int64_t{1}}});
  JITNEY_TRY(const ValueId loss, likelihood_loss(c, log_probability));
  JITNEY_CHECK(c.set(0, loss));
  return c.set(1, log_probability);
}

}  // namespace

std::span<const OperatorRow> loss_operators() {
  static constexpr OperatorRow kRows[] = {
      {"NegativeLogLikelihoodLoss", 12, 2, 3, negative_log_likelihood},
      {"SoftmaxCrossEntropyLoss", 12, 2, 3, softmax_cross_entropy},
  };
  return kRows;
}

}  // namespace jitney::onnx
