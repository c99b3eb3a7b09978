// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "passes/sink_permutes.h"

#include <algorithm>
#include <set>

#include "passes/permutation.h"
#include "passes/rewrite.h"

namespace jitney::passes {

namespace {

using ir::Op;
using ir::OpFamily;
using ir::ValueId;

class Sinker {
 public:
  explicit Sinker(const ir::Graph& graph) : g_(graph), rw_(graph) {}

  ir::Graph run() {
    for (const auto& node : g_.nodes) {
      std::vector<ValueId> inputs = rw_(node.inputs);
      index();  // inputs and constants are values, too
      if (!sink(node, inputs)) rw_.copy(node);
    }
    return rw_.finish();
  }

 private:
  const ir::Graph& g_;
  Rewriter rw_;
  std::vector<int> producer_;  // in rw_.to
  std::set<ValueId> ours_;     // in rw_.to: results of permutes that were sunk
  std::size_t known_ = 0;

  void index() {
    producer_.resize(rw_.to.values.size(), -1);
    for (; known_ < rw_.to.nodes.size(); ++known_)
      for (ValueId out : rw_.to.nodes[known_].outputs)
        producer_[static_cast<std::size_t>(out)] = static_cast<int>(known_);
  }

  /// What lies behind a permute that shows channels-last data as planes; kNoValue when `id` is none.
  ValueId behind(ValueId id) const {
    int p = id == ir::kNoValue ? -1 : producer_[static_cast<std::size_t>(id)];
    if (p < 0) return ir::kNoValue;
    const auto& node = rw_.to.nodes[static_cast<std::size_t>(p)];
    if (node.op != Op::permute) return ir::kNoValue;
    const auto& perm = node.integers("perm");
    return perm.size() >= 3 && perm == inverse(to_channels_last(perm.size())) ? node.inputs[0] : ir::kNoValue;
  }

  /// Whether a channels-last operator wrote it. A permute of the model's own stays where it is: its data lies in the
  /// order in which everything after it wants to read it.
  bool is_ours(ValueId id) const {
    if (behind(id) == ir::kNoValue) return false;
    if (ours_.contains(id)) return true;
    const ValueId x = behind(id);
    const int p = producer_[static_cast<std::size_t>(x)];
    return p >= 0 && rw_.to.nodes[static_cast<std::size_t>(p)].op == Op::region;
  }

  /// `id`, of rank `rank` at most, as the channels-last operator reads it.
  ValueId as_last(ValueId id, std::size_t rank, const std::string& name) {
    if (ValueId x = behind(id); x != ir::kNoValue && rw_.to.value(id).shape.size() == rank) return x;
    const auto v = rw_.to.value(id);
    if (v.shape.empty() || product(v.shape).is(1)) return id;
    ir::Shape full = v.shape;
    full.insert(full.begin(), rank - full.size(), ir::Dim(1));
    if (full.size() != v.shape.size()) id = emit(Op::reshape, name, {id}, v.dtype, full);
    auto perm = to_channels_last(rank);
    return emit(Op::permute, name, {id}, v.dtype, permuted(full, perm), {{"perm", perm}});
  }

  ValueId emit(Op op, const std::string& name, std::vector<ValueId> inputs, DType dtype, ir::Shape shape,
               ir::Attributes attributes = {}) {
    ValueId id = rw_.emit(op, name, std::move(inputs), dtype, std::move(shape), std::move(attributes));
    index();
    return id;
  }

  bool sink(const ir::Node& node, const std::vector<ValueId>& inputs) {
    if (node.outputs.size() != 1) return false;
    const auto& out = g_.value(node.outputs[0]);
    const std::size_t rank = out.shape.size();
    if (rank < 3) return false;
    bool any = std::any_of(inputs.begin(), inputs.end(), [&](ValueId id) {
      return id != ir::kNoValue && is_ours(id) && rw_.to.value(id).shape.size() == rank;
    });
    if (!any) return false;
    const auto perm = to_channels_last(rank);
    ir::Attributes attributes = node.attributes;
    switch (info(node.op).family) {
      case OpFamily::unary:
      case OpFamily::binary:
      case OpFamily::ternary:
      case OpFamily::cast: break;
      case OpFamily::reduce: {
        if (node.integer("keepdims") == 0) return false;
        std::vector<std::int64_t> axes;
        for (auto a : node.integers("axes")) axes.push_back(inverse(perm)[static_cast<std::size_t>(a)]);
        std::sort(axes.begin(), axes.end());
        attributes["axes"] = axes;
        break;
      }
      case OpFamily::view:
        if (node.op != Op::slice) return false;
        attributes["starts"] = permuted(node.dims("starts"), perm);
        attributes["steps"] = permuted(node.dims("steps"), perm);
        break;
      case OpFamily::movement:
        if (node.op == Op::concat)
          attributes["axis"] = inverse(perm)[static_cast<std::size_t>(node.integer("axis"))];
        else if (node.op == Op::pad)
          attributes["before"] = permuted(node.dims("before"), perm);
        else
          return false;
        break;
      default: return false;
    }
    std::vector<ValueId> moved;
    for (ValueId id : inputs) moved.push_back(id == ir::kNoValue ? id : as_last(id, rank, node.name));
    ValueId last = emit(node.op, node.name, std::move(moved), out.dtype, permuted(out.shape, perm), attributes);
    const ValueId shown = emit(Op::permute, node.name, {last}, out.dtype, out.shape, {{"perm", inverse(perm)}});
    ours_.insert(shown);
    rw_.replace(node.outputs[0], shown);
    return true;
  }
};

}  // namespace

Expected<ir::Graph> sink_permutes(const ir::Graph& graph) { return Sinker(graph).run(); }

}  // namespace jitney::passes
