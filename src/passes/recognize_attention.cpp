// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "passes/recognize_attention.h"

#include <algorithm>
#include <numeric>

#include "passes/call.h"
#include "passes/permutation.h"
#include "passes/rewrite.h"
#include "passes/views.h"

namespace jitney::passes {
namespace {

using ir::Op;
using ir::ValueId;

struct Found {
  ValueId q = ir::kNoValue, keys_across = ir::kNoValue, v = ir::kNoValue, mask = ir::kNoValue;  ///< k^T
  double scale = 1;
};

class Recognizer {
 public:
  Recognizer(const ir::Graph& graph, const LowerOptions& options)
      : g_(graph), options_(options), producer_(graph.producers()), uses_(graph.use_counts()) {}

  std::optional<Found> match(const ir::Node& node) const {
    if (node.op != Op::matmul) return std::nullopt;
    Found f;
    f.v = node.inputs[1];
    // Weights of f16 and bf16 may be computed in f32, which is what an attention does in any case.
    const DType narrow = g_.value(node.outputs[0]).dtype;
    const ir::Node* softmax = only_user_of(between_casts(node.inputs[0], narrow), Op::softmax);
    const std::size_t rank = g_.value(node.outputs[0]).shape.size();
    if (!softmax || rank < 2 || softmax->integer("axis") != static_cast<std::int64_t>(rank) - 1) return std::nullopt;
    ValueId scores = between_casts(softmax->inputs[0], narrow);
    if (const ir::Node* add = only_user_of(scores, Op::add)) {
      // The scores are the operand that a product leads to.
      const bool left = leads_to_product(add->inputs[0]);
      if (!left && !leads_to_product(add->inputs[1])) return std::nullopt;
      f.mask = add->inputs[left ? 1 : 0];
      scores = add->inputs[left ? 0 : 1];
      if (g_.value(scores).shape.size() != rank || g_.value(f.mask).shape.size() > rank) return std::nullopt;
    }
    scores = without_factor(scores, f.scale, true);
    const ir::Node* product = only_user_of(scores, Op::matmul);
    if (!product) return std::nullopt;
    f.q = without_factor(product->inputs[0], f.scale, false);
    f.keys_across = without_factor(product->inputs[1], f.scale, false);
    for (const ValueId id : {f.q, f.keys_across, f.v})
      if (g_.value(id).shape.size() != rank) return std::nullopt;
    // What is broadcast on the way is no attention: extents must be the same for certain, not only for some shapes.
    const auto &scored = g_.value(product->outputs[0]).shape, &weighed = g_.value(softmax->inputs[0]).shape;
    const auto &q = g_.value(f.q).shape, &out = g_.value(node.outputs[0]).shape;
    if (!(scored == weighed) || !std::equal(q.begin(), q.end() - 1, out.begin(), out.end() - 1) ||
        !(g_.value(f.keys_across).shape[rank - 1] == g_.value(f.v).shape[rank - 2]) ||
        !(g_.value(f.keys_across).shape[rank - 2] == q[rank - 1]))
      return std::nullopt;
    return is_offered(f, node) ? std::optional(f) : std::nullopt;
  }

 private:
  const ir::Graph& g_;
  const LowerOptions& options_;
  const std::vector<int> producer_, uses_;

  const ir::Node* maker_of(ValueId id, Op op) const {
    const int p = producer_[static_cast<std::size_t>(id)];
    if (p < 0 || g_.nodes[static_cast<std::size_t>(p)].op != op) return nullptr;
    return &g_.nodes[static_cast<std::size_t>(p)];
  }
  /// What makes the value, when it is made by `op` and used once.
  const ir::Node* only_user_of(ValueId id, Op op) const {
    return uses_[static_cast<std::size_t>(id)] == 1 ? maker_of(id, op) : nullptr;
  }

  /// The value before it was cast between that type and f32, where only the cast uses it.
  ValueId between_casts(ValueId id, DType narrow) const {
    const ir::Node* cast = only_user_of(id, Op::cast);
    if (!cast || (narrow != DType::f16 && narrow != DType::bf16)) return id;
    const DType from = g_.value(cast->inputs[0]).dtype, to = g_.value(id).dtype;
    const bool widens = from == narrow && to == DType::f32, narrows = from == DType::f32 && to == narrow;
    return widens || narrows ? cast->inputs[0] : id;
  }

  bool leads_to_product(ValueId id) const {
    double ignored = 1;
    return only_user_of(without_factor(id, ignored, true), Op::matmul) != nullptr;
  }

  /// The value before it was multiplied or divided by numbers; `only`: the results must not be used elsewhere.
  ValueId without_factor(ValueId id, double& scale, bool only) const {
    for (;;) {
      if (only && uses_[static_cast<std::size_t>(id)] != 1) return id;
      const ir::Node* mul = maker_of(id, Op::mul);
      const ir::Node* div = maker_of(id, Op::div);
      const ir::Node* node = mul ? mul : div;
      if (!node) return id;
      bool is_first = false;
      auto factor = scalar_constant(g_, node->inputs[1]);
      if (!factor && mul) {
        factor = scalar_constant(g_, node->inputs[0]);
        is_first = true;
      }
      const ValueId other = node->inputs[is_first ? 1 : 0];
      if (!factor || !(g_.value(other).shape == g_.value(id).shape)) return id;
      scale = mul ? scale * *factor : scale / *factor;
      id = other;
    }
  }

  backend::TensorDesc describe(const ir::Shape& shape, DType dtype) const {
    backend::TensorDesc d{dtype, {}, {}};
    for (const auto& extent : shape) d.shape.push_back(constant_extent(extent));
    for (const auto& stride : contiguous_strides(shape)) d.strides.push_back(constant_extent(stride));
    return d;
  }

  /// The keys as rows. Mostly they were rows, and are across because somebody permuted them for the product.
  backend::TensorDesc describe_keys(ValueId across) const {
    backend::TensorDesc d = describe(g_.value(across).shape, g_.value(across).dtype);
    const std::size_t rank = d.shape.size();
    if (const ir::Node* permute = maker_of(across, Op::permute)) {
      const auto strides = contiguous_strides(g_.value(permute->inputs[0]).shape);
      const auto& perm = permute->integers("perm");
      for (std::size_t i = 0; i < rank; ++i) d.strides[i] = constant_extent(strides[static_cast<std::size_t>(perm[i])]);
    }
    std::swap(d.shape[rank - 1], d.shape[rank - 2]);
    std::swap(d.strides[rank - 1], d.strides[rank - 2]);
    return d;
  }

  bool is_offered(const Found& f, const ir::Node& node) const {
    auto of = [&](ValueId id) { return describe(g_.value(id).shape, g_.value(id).dtype); };
    backend::AttentionCall call;
    call.q = of(f.q);
    call.k = describe_keys(f.keys_across);
    call.v = of(f.v);
    call.y = of(node.outputs[0]);
    if (f.mask != ir::kNoValue) {
      auto shape = g_.value(f.mask).shape;
      shape.insert(shape.begin(), call.y.shape.size() - shape.size(), ir::Dim(1));
      call.mask = describe(shape, g_.value(f.mask).dtype);
    }
    call.scale = static_cast<float>(f.scale);
    return options_.offers(call);
  }
};

}  // namespace

Expected<ir::Graph> recognize_attention(const ir::Graph& graph, const LowerOptions& options) {
  const Recognizer recognizer(graph, options);
  Rewriter rw(graph);
  for (const auto& node : graph.nodes) {
    const auto found = recognizer.match(node);
    if (!found) {
      rw.copy(node);
      continue;
    }
    const auto& across = graph.value(found->keys_across);
    Permutation swap(across.shape.size());
    std::iota(swap.begin(), swap.end(), 0);
    std::swap(swap.back(), swap[swap.size() - 2]);
    const ValueId keys = rw.emit(Op::permute, node.name, {rw(found->keys_across)}, across.dtype,
                                 permuted(across.shape, swap), {{"perm", swap}});
    std::vector<ValueId> inputs{rw(found->q), keys, rw(found->v)};
    if (found->mask != ir::kNoValue) inputs.push_back(rw(found->mask));
    const auto& out = graph.value(node.outputs[0]);
    rw.replace(node.outputs[0],
               rw.emit(Op::attention, node.name, std::move(inputs), out.dtype, out.shape, {{"scale", found->scale}}));
  }
  return rw.finish();
}

}  // namespace jitney::passes
