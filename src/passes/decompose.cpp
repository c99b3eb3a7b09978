// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "passes/decompose.h"

#include <algorithm>

#include "passes/decompose_pad.h"
#include "passes/rewrite.h"

namespace jitney::passes {

namespace {

using ir::Op;
using ir::ValueId;

bool is_half(DType t) { return t == DType::f16 || t == DType::bf16; }

/// Emits nodes named after one node of the model.
class Emit {
 public:
  Emit(Rewriter& rw, const ir::Node& node) : rw_(rw), name_(node.name) {}

  ValueId unary(Op op, ValueId x) { return rw_.emit(op, name_, {x}, type(x), shape(x)); }
  /// `a` has the result's shape.
  ValueId binary(Op op, ValueId a, ValueId b) { return rw_.emit(op, name_, {a, b}, type(a), shape(a)); }
  ValueId scalar(ValueId like, double v) { return rw_.scalar(type(like), v); }
  ValueId reduce(Op op, ValueId x, std::vector<std::int64_t> axes) {
    ir::Shape s = shape(x);
    for (auto a : axes) s[static_cast<std::size_t>(a)] = 1;
    return rw_.emit(op, name_, {x}, type(x), s, {{"axes", std::move(axes)}, {"keepdims", std::int64_t{1}}});
  }
  /// Of a small constant at once: a scale or a bias is no kernel of its own.
  ValueId cast(ValueId x, DType to) {
    if (type(x) == to) return x;
    constexpr std::size_t kSmall = 64 << 10;
    const auto& constant = rw_.to.value(x).constant;
    if (!constant || constant->num_bytes() > kSmall) return rw_.emit(Op::cast, name_, {x}, to, shape(x));
    Tensor t(to, constant->shape());
    for (std::int64_t i = 0; i < t.num_elements(); ++i)
      store_scalar(to,
                   load_scalar(type(x), static_cast<const char*>(constant->data()) +
                                            i * static_cast<std::int64_t>(size_of(type(x)))),
                   static_cast<char*>(t.data()) + i * static_cast<std::int64_t>(size_of(to)));
    return rw_.to.add_constant(rw_.fresh(rw_.to.value(x).name), std::move(t));
  }
  ValueId reshape(ValueId x, ir::Shape to) {
    return shape(x) == to ? x : rw_.emit(Op::reshape, name_, {x}, type(x), std::move(to));
  }

 private:
  DType type(ValueId v) { return rw_.to.value(v).dtype; }
  ir::Shape shape(ValueId v) { return rw_.to.value(v).shape; }
  Rewriter& rw_;
  std::string name_;
};

ValueId softmax(Rewriter& rw, const ir::Node& node, bool log) {
  Emit e(rw, node);
  ValueId in = rw(node.inputs[0]);
  DType dtype = rw.to.value(in).dtype;
  ValueId x = e.cast(in, is_half(dtype) ? DType::f32 : dtype);
  std::vector<std::int64_t> axes{node.integer("axis")};
  ValueId shifted = e.binary(Op::sub, x, e.reduce(Op::reduce_max, x, axes));
  ValueId power = e.unary(Op::exp, shifted);
  ValueId sum = e.reduce(Op::reduce_sum, power, axes);
  ValueId y =
      log ? e.binary(Op::sub, shifted, e.unary(Op::log, sum)) : e.binary(Op::mul, power, e.unary(Op::reciprocal, sum));
  return e.cast(y, dtype);
}

ValueId layer_norm(Rewriter& rw, const ir::Node& node) {
  Emit e(rw, node);
  ValueId in = rw(node.inputs[0]);
  DType dtype = rw.to.value(in).dtype;
  DType compute = is_half(dtype) ? DType::f32 : dtype;
  ValueId x = e.cast(in, compute);
  std::vector<std::int64_t> axes;
  for (auto a = node.integer("axis"); a < static_cast<std::int64_t>(rw.to.value(x).shape.size()); ++a)
    axes.push_back(a);
  ValueId centered = e.binary(Op::sub, x, e.reduce(Op::reduce_mean, x, axes));
  ValueId variance = e.reduce(Op::reduce_mean, e.binary(Op::mul, centered, centered), axes);
  ValueId safe = e.binary(Op::add, variance, e.scalar(variance, node.real("epsilon")));
  ValueId y = e.binary(Op::mul, centered, e.unary(Op::reciprocal, e.unary(Op::sqrt, safe)));
  if (node.inputs.size() > 1 && node.inputs[1] != ir::kNoValue)
    y = e.binary(Op::mul, y, e.cast(rw(node.inputs[1]), compute));
  if (node.inputs.size() > 2 && node.inputs[2] != ir::kNoValue)
    y = e.binary(Op::add, y, e.cast(rw(node.inputs[2]), compute));
  return e.cast(y, dtype);
}

ValueId keep_dims(Rewriter& rw, const ir::Node& node) {
  Emit e(rw, node);
  ValueId x = rw(node.inputs[0]);
  const auto& out = rw.from.value(node.outputs[0]);
  DType dtype = rw.to.value(x).dtype;
  ValueId y = e.reduce(node.op, e.cast(x, is_half(dtype) ? DType::f32 : dtype), node.integers("axes"));
  return e.reshape(e.cast(y, dtype), out.shape);
}

// The index of the extreme: the least (or greatest) index where the extreme is found. The extreme is NaN if any element
// is, and then NaN is what is found.
ValueId arg(Rewriter& rw, const ir::Node& node) {
  Emit e(rw, node);
  const ValueId x = rw(node.inputs[0]);
  const ir::Shape shape = rw.to.value(x).shape;
  const std::int64_t axis = node.integers("axes")[0];
  const bool last = node.integer("last") != 0;
  const auto typed = [&](Op op, std::vector<ValueId> in, DType dtype, ir::Shape s, ir::Attributes a = {}) {
    return rw.emit(op, node.name, std::move(in), dtype, std::move(s), std::move(a));
  };
  const ValueId extreme = e.reduce(node.op == Op::arg_max ? Op::reduce_max : Op::reduce_min, x, {axis});
  ValueId found = typed(Op::equal, {x, extreme}, DType::boolean, shape);
  if (is_floating(rw.to.value(x).dtype))
    found = typed(Op::logical_or, {found, typed(Op::is_nan, {x}, DType::boolean, shape)}, DType::boolean, shape);
  const ValueId index = typed(Op::iota, {}, DType::i64, shape, {{"axis", axis}});
  const ValueId none = rw.scalar(DType::i64, last ? -1 : 0x1p62);  // worse than any index
  const ValueId candidate = typed(Op::where, {found, index, none}, DType::i64, shape);
  const ValueId y = e.reduce(last ? Op::reduce_max : Op::reduce_min, candidate, {axis});
  return e.reshape(y, rw.from.value(node.outputs[0]).shape);
}

// Rank 1 operands get the extent of 1 that numpy.matmul gives them; the result loses it again.
ValueId promote_matmul(Rewriter& rw, const ir::Node& node) {
  Emit e(rw, node);
  ValueId a = rw(node.inputs[0]), b = rw(node.inputs[1]);
  const auto& out = rw.from.value(node.outputs[0]);
  ir::Shape sa = rw.to.value(a).shape, sb = rw.to.value(b).shape;
  ir::Shape result = out.shape;
  if (sb.size() == 1) result.push_back(1);
  if (sa.size() == 1) result.insert(result.end() - 1, 1);
  if (sa.size() == 1) a = e.reshape(a, {1, sa[0]});
  if (sb.size() == 1) b = e.reshape(b, {sb[0], 1});
  return e.reshape(rw.emit(Op::matmul, node.name, {a, b}, out.dtype, result), out.shape);
}

// A kernel's source has a branch for each input of a concat: many inputs are joined in several steps.
constexpr std::size_t kMaxConcat = 32;

ValueId split_concat(Rewriter& rw, const ir::Node& node) {
  const auto& out = rw.from.value(node.outputs[0]);
  const auto axis = static_cast<std::size_t>(node.integer("axis"));
  std::vector<ValueId> parts = rw(node.inputs);
  while (parts.size() > 1) {
    std::vector<ValueId> joined;
    for (std::size_t i = 0; i < parts.size(); i += kMaxConcat) {
      std::vector<ValueId> some(parts.begin() + static_cast<std::ptrdiff_t>(i),
                                parts.begin() + static_cast<std::ptrdiff_t>(std::min(i + kMaxConcat, parts.size())));
      ir::Shape shape = out.shape;
      shape[axis] = 0;
      for (ValueId p : some) shape[axis] = shape[axis] + rw.to.value(p).shape[axis];
      bool whole = some.size() == parts.size();
      joined.push_back(rw.emit(Op::concat, node.name, some, out.dtype, whole ? out.shape : shape, node.attributes));
    }
    parts = std::move(joined);
  }
  return parts[0];
}

}  // namespace

Expected<ir::Graph> decompose(const ir::Graph& graph) {
  Rewriter rw(graph);
  for (const auto& node : graph.nodes) {
    ValueId now = ir::kNoValue;
    switch (node.op) {
      case Op::softmax: now = softmax(rw, node, false); break;
      case Op::log_softmax: now = softmax(rw, node, true); break;
      case Op::layer_norm: now = layer_norm(rw, node); break;
      case Op::reduce_sum:
      case Op::reduce_mean:
      case Op::reduce_max:
      case Op::reduce_min:
      case Op::reduce_prod: now = keep_dims(rw, node); break;
      case Op::arg_max:
      case Op::arg_min: now = arg(rw, node); break;
      case Op::pad:
        if (node.text("mode") != "constant") now = gathered_pad(rw, node);
        break;
      case Op::concat:
        if (node.inputs.size() > kMaxConcat) now = split_concat(rw, node);
        break;
      case Op::matmul:
        if (graph.value(node.inputs[0]).shape.size() < 2 || graph.value(node.inputs[1]).shape.size() < 2)
          now = promote_matmul(rw, node);
        break;
      default: break;
    }
    if (now == ir::kNoValue)
      rw.copy(node);
    else
      rw.replace(node.outputs[0], now);
  }
  return rw.finish();
}

}  // namespace jitney::passes
