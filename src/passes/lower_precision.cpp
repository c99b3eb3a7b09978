// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "passes/lower_precision.h"

#include <algorithm>

#include "passes/rewrite.h"
#include "util/half.h"
#include "util/reloadable.h"

namespace jitney::passes {

namespace {

using ir::Op;
using ir::ValueId;

bool can_be_low(Op op) {
  switch (op) {
    case Op::conv:
    case Op::conv_transpose:
    case Op::matmul:
    case Op::max_pool:
    case Op::avg_pool:
    case Op::relu:
    case Op::gelu_erf:
    case Op::gelu_tanh:
    case Op::silu:
    case Op::hard_swish:
    case Op::sigmoid:
    case Op::tanh:
    case Op::neg:
    case Op::abs:
    case Op::add:
    case Op::sub:
    case Op::mul:
    case Op::min:
    case Op::max:
    case Op::where:
    case Op::softmax:
    case Op::layer_norm:
    case Op::reduce_mean:
    case Op::reduce_max:
    case Op::reduce_min:
    case Op::reshape:
    case Op::permute:
    case Op::expand:
    case Op::slice:
    case Op::concat:
    case Op::pad:
    case Op::gather: return true;
    default: return false;
  }
}

/// Operators whose result is as whole as what they are given: of whole numbers they make whole numbers.
bool keeps_whole(Op op) {
  switch (op) {
    case Op::relu:
    case Op::neg:
    case Op::abs:
    case Op::add:
    case Op::sub:
    case Op::min:
    case Op::max:
    case Op::where:
    case Op::reduce_max:
    case Op::reduce_min:
    case Op::reshape:
    case Op::permute:
    case Op::expand:
    case Op::slice:
    case Op::concat:
    case Op::pad:
    case Op::gather: return true;
    default: return false;
  }
}

class Lowerer {
 public:
  explicit Lowerer(const ir::Graph& graph) : g_(graph), rw_(graph) {}

  ir::Graph run() {
    for (const auto& node : g_.nodes) {
      const auto& out = g_.value(node.outputs[0]);
      const bool counts = takes_whole(node) && (keeps_whole(node.op) || node.op == Op::mul);
      if (is_whole(node) || (counts && node.op != Op::mul)) whole_.insert(node.outputs[0]);
      if (out.dtype != DType::f32 || !can_be_low(node.op) || node.outputs.size() != 1 || counts) {
        for (ValueId in : node.inputs)
          if (in != ir::kNoValue) make_high(in);
        rw_.copy(node);
        continue;
      }
      std::vector<ValueId> inputs;
      for (ValueId in : node.inputs) inputs.push_back(in == ir::kNoValue ? in : low(in));
      low_[node.outputs[0]] = rw_.emit(node.op, node.name, inputs, DType::bf16, out.shape, node.attributes);
    }
    for (ValueId out : g_.outputs) make_high(out);
    return rw_.finish();
  }

 private:
  const ir::Graph& g_;
  Rewriter rw_;
  std::map<ValueId, ValueId> low_;  // of f32 values: what holds them in bf16
  std::set<ValueId> high_;          // of those: what is there as f32, too
  std::set<ValueId> whole_;         // f32 values that count: bf16 holds no whole numbers above 256

  /// Sums of quantized numbers come out of integers, and quantizing ends in a rounding.
  bool is_whole(const ir::Node& node) const {
    if (node.op == Op::round) return true;
    return node.op == Op::cast && is_integer(g_.value(node.inputs[0]).dtype);
  }
  bool takes_whole(const ir::Node& node) const {
    return std::any_of(node.inputs.begin(), node.inputs.end(), [this](ValueId in) { return whole_.contains(in); });
  }

  /// The value as bf16, where it is f32.
  ValueId low(ValueId old) {
    const auto& v = g_.value(old);
    if (v.dtype != DType::f32) return rw_(old);
    auto it = low_.find(old);
    if (it == low_.end())
      it = low_.emplace(old, v.constant ? rounded(v) : rw_.emit(Op::cast, v.name, {rw_(old)}, DType::bf16, v.shape))
               .first;
    return it->second;
  }

  /// From now on rw_(old) is f32.
  void make_high(ValueId old) {
    const auto& v = g_.value(old);
    auto it = low_.find(old);
    // Inputs and constants are there as f32 anyway, and so is what was computed so.
    if (it == low_.end() || v.constant || rw_(old) != ir::kNoValue || !high_.insert(old).second) return;
    rw_.replace(old, rw_.emit(Op::cast, v.name, {it->second}, DType::f32, v.shape));
  }

  ValueId rounded(const ir::Value& v) {
    const auto& wide = *v.constant;
    return rw_.to.add_constant(rw_.fresh(v.name),
                               value_or_throw(derive(DType::bf16, wide.shape(), [wide] { return to_bf16(wide); })));
  }

  static Expected<Tensor> to_bf16(const Tensor& tensor) {
    JITNEY_TRY(const Tensor wide, resident(tensor));
    Tensor t(DType::bf16, wide.shape());
    for (std::int64_t i = 0; i < t.num_elements(); ++i) t.as<std::uint16_t>()[i] = f32_to_bf16(wide.as<float>()[i]);
    return t;
  }
};

}  // namespace

Expected<ir::Graph> lower_precision(const ir::Graph& graph) { return Lowerer(graph).run(); }

}  // namespace jitney::passes
