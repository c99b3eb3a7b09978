// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "passes/call.h"

#include <algorithm>
#include <limits>

#include "passes/rewrite.h"

namespace jitney::passes {

namespace {

using backend::PostOp;
using backend::TensorDesc;
using ir::Op;
using ir::ValueId;

constexpr float kInfinity = std::numeric_limits<float>::infinity();

std::optional<PostOp::Kind> unary_kind(Op op) {
  switch (op) {
    case Op::relu: return PostOp::Kind::relu;
    case Op::gelu_erf: return PostOp::Kind::gelu_erf;
    case Op::gelu_tanh: return PostOp::Kind::gelu_tanh;
    case Op::silu: return PostOp::Kind::silu;
    case Op::hard_swish: return PostOp::Kind::hard_swish;
    case Op::sigmoid: return PostOp::Kind::sigmoid;
    case Op::tanh: return PostOp::Kind::tanh;
    default: return std::nullopt;
  }
}

class Describer {
 public:
  Describer(const ir::Graph& body, const std::vector<CallOperand>& operands, const Extent& extent)
      : g_(body), operands_(operands), extent_(extent) {}

  std::optional<backend::LibraryCall> run() {
    std::size_t at = 0;
    while (at < g_.nodes.size() && g_.nodes[at].op == Op::permute) ++at;
    if (at == g_.nodes.size()) return std::nullopt;
    const ir::Node& node = g_.nodes[at++];
    current_ = node.outputs[0];
    if (at < g_.nodes.size() && g_.nodes[at].op == Op::permute && node.op != Op::matmul)
      current_ = g_.nodes[at++].outputs[0];
    for (; at < g_.nodes.size(); ++at)
      if (!epilogue(g_.nodes[at], node.inputs.size() > 2)) return std::nullopt;
    if (g_.outputs.size() != 1 || g_.outputs[0] != current_) return std::nullopt;
    switch (node.op) {
      case Op::matmul: return matmul(node);
      case Op::conv:
      case Op::conv_transpose: return convolution(node);
      case Op::attention: return attention(node);
      case Op::max_pool:
      case Op::avg_pool: return pooling(node);
      default: return std::nullopt;
    }
  }

 private:
  const ir::Graph& g_;
  const std::vector<CallOperand>& operands_;
  const Extent& extent_;
  ValueId current_ = ir::kNoValue;
  std::vector<PostOp> post_;
  bool bias_ = false;
  DType bias_dtype_ = DType::f32;

  std::vector<std::int64_t> numbers(const ir::Shape& shape) const {
    std::vector<std::int64_t> result;
    for (const auto& d : shape) result.push_back(extent_(d));
    return result;
  }

  static std::vector<std::int64_t> row_major(const std::vector<std::int64_t>& shape) {
    std::vector<std::int64_t> strides(shape.size(), 1);
    for (std::size_t d = shape.size(); d-- > 1;)
      strides[d - 1] = shape[d] < 0 || strides[d] < 0 ? -1 : strides[d] * std::max<std::int64_t>(shape[d], 1);
    return strides;
  }

  int input_index(ValueId id) const {
    auto it = std::find(g_.inputs.begin(), g_.inputs.end(), id);
    return it == g_.inputs.end() ? -1 : static_cast<int>(it - g_.inputs.begin());
  }

  TensorDesc input(int index) const {
    const auto& v = g_.value(g_.inputs[static_cast<std::size_t>(index)]);
    TensorDesc d{v.dtype, numbers(v.shape), {}};
    d.strides = operands_.empty() ? row_major(d.shape) : operands_[static_cast<std::size_t>(index)].strides;
    return d;
  }

  bool is_constant(int index) const {
    return !operands_.empty() && operands_[static_cast<std::size_t>(index)].is_constant;
  }

  TensorDesc output() const {
    const auto& v = g_.value(current_);
    TensorDesc d{v.dtype, numbers(v.shape), {}};
    d.strides = row_major(d.shape);
    return d;
  }

  bool epilogue(const ir::Node& node, bool has_bias) {
    const auto& out = g_.value(node.outputs[0]);
    if (!(out.shape == g_.value(current_).shape) || node.inputs.empty()) return false;
    if (node.op == Op::cast) {
      // The library rounds its f32 result once, at the end.
      if (!is_floating(out.dtype) || out.dtype == DType::f64 || &node != &g_.nodes.back()) return false;
      current_ = node.outputs[0];
      return true;
    }
    if (auto kind = unary_kind(node.op)) {
      post_.push_back({*kind, 0, 0, {}});
      current_ = node.outputs[0];
      return true;
    }
    if (node.inputs.size() != 2) return false;
    bool left = node.inputs[0] == current_;
    if (!left && node.inputs[1] != current_) return false;
    ValueId other = node.inputs[left ? 1 : 0];
    if (other == current_) return false;
    if (!(node.op == Op::min || node.op == Op::max ? clip(node.op, other) : operand(node.op, other, has_bias)))
      return false;
    current_ = node.outputs[0];
    return true;
  }

  // max(x, lo) then min(x, hi) is one clip; so is each alone.
  bool clip(Op op, ValueId other) {
    auto v = scalar_constant(g_, other);
    if (!v) return false;
    auto bound = static_cast<float>(*v);
    if (op == Op::max) {
      post_.push_back({PostOp::Kind::clip, bound, kInfinity, {}});
    } else if (!post_.empty() && post_.back().kind == PostOp::Kind::clip && post_.back().beta == kInfinity &&
               post_.back().alpha <= bound) {
      post_.back().beta = bound;
    } else {
      post_.push_back({PostOp::Kind::clip, -kInfinity, bound, {}});
    }
    return true;
  }

  bool operand(Op op, ValueId other, bool has_bias) {
    if (op != Op::add && op != Op::mul) return false;
    int index = input_index(other);
    if (index < 0) return false;
    TensorDesc d = input(index);
    const auto shape = numbers(g_.value(current_).shape);
    if (d.shape.size() > shape.size()) return false;
    bool is_row = true;  // one value a channel
    for (std::size_t i = 0; i + 1 < d.shape.size(); ++i) is_row = is_row && d.shape[i] == 1;
    is_row = is_row && !d.shape.empty() && d.shape.back() == shape.back() && shape.back() > 0 &&
             (d.strides.back() == 1 || shape.back() == 1);
    if (op == Op::add && is_row && post_.empty() && !bias_ && !has_bias) {
      bias_ = true;
      bias_dtype_ = d.dtype;
      return true;
    }
    std::size_t missing = shape.size() - d.shape.size();
    d.shape.insert(d.shape.begin(), missing, 1);
    d.strides.insert(d.strides.begin(), missing, 0);
    for (std::size_t i = 0; i < shape.size(); ++i)
      if (d.shape[i] == 1 && shape[i] != 1) {
        d.shape[i] = shape[i];
        d.strides[i] = 0;
      }
    post_.push_back({op == Op::add ? PostOp::Kind::add_operand : PostOp::Kind::mul_operand, 0, 0, std::move(d)});
    return true;
  }

  backend::LibraryCall matmul(const ir::Node&) const {
    backend::MatMulCall call;
    call.a = input(0);
    call.b = input(1);
    call.c = output();
    call.constant_b = is_constant(1);
    call.has_bias = bias_;
    call.bias_dtype = bias_dtype_;
    call.epilogue = post_;
    const std::size_t rank = call.c.shape.size();
    for (TensorDesc* d : {&call.a, &call.b}) {
      std::size_t missing = rank - d->shape.size();
      d->shape.insert(d->shape.begin(), missing, 1);
      d->strides.insert(d->strides.begin(), missing, 0);
      for (std::size_t i = 0; i + 2 < rank; ++i)
        if (d->shape[i] == 1 && call.c.shape[i] != 1) {
          d->shape[i] = call.c.shape[i];
          d->strides[i] = 0;
        }
    }
    flatten(call);
    return call;
  }

  /// One matrix for all of the batch: its axes are more rows.
  static void flatten(backend::MatMulCall& call) {
    const std::size_t rank = call.c.shape.size();
    if (rank < 3) return;
    for (std::size_t i = 0; i < rank; ++i)
      if (call.c.shape[i] < 0 || call.a.strides[i] < 0) return;
    for (std::size_t i = 0; i + 2 < rank; ++i)
      if (call.b.strides[i] != 0 && call.c.shape[i] != 1) return;
    auto counts = [&](const TensorDesc& d) {  // outer axes go on where the rows end
      std::int64_t step = d.strides[rank - 2] * d.shape[rank - 2];
      bool one_row = d.shape[rank - 2] == 1;
      for (std::size_t i = rank - 2; i-- > 0;) {
        if (d.shape[i] == 1) continue;
        if (one_row) {
          one_row = false;
          step = d.strides[i] * d.shape[i];
          continue;
        }
        if (d.strides[i] != step) return false;
        step *= d.shape[i];
      }
      return true;
    };
    std::vector<TensorDesc*> rows{&call.a, &call.c};
    for (auto& p : call.epilogue)
      if (!p.operand.shape.empty()) rows.push_back(&p.operand);
    for (const auto* d : rows)
      if (!counts(*d)) return;
    for (auto* d : rows) {
      std::int64_t m = 1, stride = d->strides[rank - 2];
      // The row stride is the innermost one of an axis that moves.
      for (std::size_t i = rank - 1; i-- > 0;) {
        if (m == 1 && d->shape[i] != 1) stride = d->strides[i];
        m *= d->shape[i];
      }
      *d = {d->dtype, {m, d->shape[rank - 1]}, {stride, d->strides[rank - 1]}};
    }
    auto& b = call.b;
    b = {b.dtype, {b.shape[rank - 2], b.shape[rank - 1]}, {b.strides[rank - 2], b.strides[rank - 1]}};
  }

  static void split(const std::vector<std::int64_t>& pads, std::vector<std::int64_t>& begin,
                    std::vector<std::int64_t>& end) {
    const auto half = static_cast<std::ptrdiff_t>(pads.size() / 2);
    begin.assign(pads.begin(), pads.begin() + half);
    end.assign(pads.begin() + half, pads.end());
  }

  backend::LibraryCall convolution(const ir::Node& node) const {
    backend::ConvolutionCall call;
    call.x = input(0);
    call.w = input(1);
    call.y = output();
    call.strides = node.integers("strides");
    call.dilations = node.integers("dilations");
    split(node.integers("pads"), call.pads_begin, call.pads_end);
    call.groups = node.integer("groups");
    call.transposed = node.op == Op::conv_transpose;
    call.has_bias = node.inputs.size() > 2 || bias_;
    call.bias_dtype = node.inputs.size() > 2 ? g_.value(node.inputs[2]).dtype : bias_dtype_;
    call.constant_w = is_constant(1);
    call.epilogue = post_;
    return call;
  }

  std::optional<backend::LibraryCall> attention(const ir::Node& node) const {
    if (!post_.empty() || bias_) return std::nullopt;
    backend::AttentionCall call;
    call.q = input(0);
    call.k = input(1);
    call.v = input(2);
    call.y = output();
    call.scale = static_cast<float>(node.real("scale"));
    const std::size_t rank = call.y.shape.size();
    if (&node != &g_.nodes.back() && (&node + 1)->op == Op::permute) {
      // What is written is a permutation of the result.
      const auto& perm = (&node + 1)->integers("perm");
      const TensorDesc written = call.y;
      for (std::size_t i = 0; i < rank; ++i) {
        call.y.shape[static_cast<std::size_t>(perm[i])] = written.shape[i];
        call.y.strides[static_cast<std::size_t>(perm[i])] = written.strides[i];
      }
    }
    if (node.inputs.size() > 3) {
      call.mask = input(3);
      const std::size_t missing = rank - call.mask.shape.size();
      call.mask.shape.insert(call.mask.shape.begin(), missing, 1);
      call.mask.strides.insert(call.mask.strides.begin(), missing, 0);
    }
    for (TensorDesc* d : {&call.k, &call.v, &call.mask})
      for (std::size_t i = 0; i < d->shape.size(); ++i)
        if (d->shape[i] == 1) d->strides[i] = i + 1 == rank ? 1 : 0;
    return call;
  }

  std::optional<backend::LibraryCall> pooling(const ir::Node& node) const {
    if (!post_.empty() || bias_) return std::nullopt;
    backend::PoolingCall call;
    call.kind = node.op == Op::max_pool            ? backend::PoolingCall::Kind::max
                : node.integer("include_pad") != 0 ? backend::PoolingCall::Kind::average_include_pad
                                                   : backend::PoolingCall::Kind::average_exclude_pad;
    call.x = input(0);
    call.y = output();
    call.kernel = node.integers("kernel");
    call.strides = node.integers("strides");
    call.dilations = node.integers("dilations");
    split(node.integers("pads"), call.pads_begin, call.pads_end);
    // Windows that begin inside the input and end beyond its padding (ceil_mode) need more padding, which a mean over
    // the padded input would count.
    for (std::size_t s = 0; s < call.kernel.size(); ++s) {
      const auto in = call.x.shape[s + 1], out = call.y.shape[s + 1];
      if (in < 0 || out < 0) continue;
      const auto needed =
          (out - 1) * call.strides[s] + (call.kernel[s] - 1) * call.dilations[s] + 1 - in - call.pads_begin[s];
      if (needed <= call.pads_end[s]) continue;
      if (call.kind == backend::PoolingCall::Kind::average_include_pad) return std::nullopt;
      call.pads_end[s] = needed;
    }
    return call;
  }
};

std::int64_t elements(const std::vector<std::int64_t>& shape) {
  std::int64_t n = 1;
  for (auto e : shape) n = e < 0 || n < 0 ? -1 : n * e;
  return n;
}

}  // namespace

std::int64_t constant_extent(const ir::Dim& d) { return d.constant().value_or(-1); }

std::optional<backend::LibraryCall> describe_call(const ir::Graph& body, const std::vector<CallOperand>& operands,
                                                  const Extent& extent) {
  return Describer(body, operands, extent).run();
}

bool packs_second_operand(const ir::Graph& body) {
  return std::any_of(body.nodes.begin(), body.nodes.end(), [](const ir::Node& n) {
    return n.op == Op::matmul || n.op == Op::conv || n.op == Op::conv_transpose;
  });
}

std::int64_t operation_count(const backend::LibraryCall& call) {
  std::int64_t n = -1;
  if (const auto* m = std::get_if<backend::MatMulCall>(&call)) {
    n = elements(m->c.shape);
    if (n >= 0) n = m->a.shape.back() < 0 ? -1 : 2 * n * m->a.shape.back();
  } else if (const auto* c = std::get_if<backend::ConvolutionCall>(&call)) {
    n = elements(c->transposed ? c->x.shape : c->y.shape);
    std::int64_t window = elements({c->w.shape.begin() + 1, c->w.shape.end()});
    n = n < 0 || window < 0 ? -1 : 2 * n * window;
  } else if (const auto* a = std::get_if<backend::AttentionCall>(&call)) {
    n = elements(a->y.shape);
    const auto keys = a->k.shape[a->k.shape.size() - 2], length = a->k.shape.back(), out = a->y.shape.back();
    if (n >= 0) n = keys < 0 || length < 0 || out <= 0 ? -1 : 2 * (n / out) * keys * (length + out);
  } else if (const auto* p = std::get_if<backend::PoolingCall>(&call)) {
    n = elements(p->y.shape);
    if (n >= 0) n *= elements(p->kernel);
  }
  return n;
}

}  // namespace jitney::passes
