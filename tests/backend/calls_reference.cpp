// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "backend/calls.h"

namespace jitney::backend {
namespace {

using Index = std::vector<std::int64_t>;

std::size_t offset(const TensorDesc& t, const Index& index) {
  std::int64_t at = 0;
  for (std::size_t i = 0; i < index.size(); ++i) at += index[i] * t.strides[i];
  return static_cast<std::size_t>(at);
}

/// Calls f with every index of the shape, in row-major order.
template <class F>
void for_each_index(const std::vector<std::int64_t>& shape, const F& f) {
  if (std::ranges::any_of(shape, [](auto e) { return e == 0; })) return;
  Index index(shape.size(), 0);
  while (true) {
    f(index);
    std::size_t i = shape.size();
    while (i-- > 0) {
      if (++index[i] < shape[i]) break;
      index[i] = 0;
      if (i == 0) return;
    }
    if (shape.empty()) return;
  }
}

double elementwise(const PostOp& p, double x) {
  switch (p.kind) {
    case PostOp::Kind::relu: return std::max(x, 0.0);
    case PostOp::Kind::clip: return std::clamp(x, static_cast<double>(p.alpha), static_cast<double>(p.beta));
    case PostOp::Kind::gelu_erf: return x / 2 * (1 + std::erf(x / std::numbers::sqrt2));
    case PostOp::Kind::gelu_tanh:
      return x / 2 * (1 + std::tanh(std::sqrt(2 / std::numbers::pi) * (x + 0.044715 * x * x * x)));
    case PostOp::Kind::silu: return x / (1 + std::exp(-x));
    case PostOp::Kind::hard_swish: return x * std::clamp(x / 6 + 0.5, 0.0, 1.0);
    case PostOp::Kind::sigmoid: return 1 / (1 + std::exp(-x));
    case PostOp::Kind::tanh: return std::tanh(x);
    default: return x;
  }
}

double finish(double sum, const std::vector<PostOp>& epilogue, const Values& values, std::size_t first_operand,
              const Index& at) {
  for (const auto& p : epilogue) {
    if (p.kind != PostOp::Kind::add_operand && p.kind != PostOp::Kind::mul_operand) {
      sum = elementwise(p, sum);
      continue;
    }
    const double other = values[first_operand++][offset(p.operand, at)];
    sum = p.kind == PostOp::Kind::add_operand ? sum + other : sum * other;
  }
  return sum;
}

std::vector<double> compute(const MatMulCall& m, const Values& values) {
  std::vector<double> result;
  const std::size_t rank = m.c.shape.size();
  for_each_index(m.c.shape, [&](const Index& at) {
    double sum = m.has_bias ? values[2][static_cast<std::size_t>(at[rank - 1])] : 0;
    Index a = at, b = at;
    for (std::int64_t k = 0; k < m.a.shape[rank - 1]; ++k) {
      a[rank - 1] = b[rank - 2] = k;
      sum += values[0][offset(m.a, a)] * values[1][offset(m.b, b)];
    }
    result.push_back(finish(sum, m.epilogue, values, m.has_bias ? 3 : 2, at));
  });
  return result;
}

std::vector<double> compute(const ConvolutionCall& c, const Values& values) {
  std::vector<double> result;
  const std::size_t axes = c.strides.size();
  const std::int64_t in = c.x.shape.back(), out = c.y.shape.back(), in_group = in / c.groups,
                     out_group = out / c.groups;
  const std::vector<std::int64_t> window(c.w.shape.begin() + 2, c.w.shape.end());
  for_each_index(c.y.shape, [&](const Index& at) {
    const std::int64_t o = at.back(), group = o / out_group;
    double sum = c.has_bias ? values[2][static_cast<std::size_t>(o)] : 0;
    for_each_index(window, [&](const Index& k) {
      Index x = at;
      for (std::size_t i = 0; i < axes; ++i) {
        const std::int64_t shift = k[i] * c.dilations[i] - c.pads_begin[i];
        if (c.transposed) {
          // y = x * stride + shift
          const std::int64_t from = at[i + 1] - shift;
          if (from % c.strides[i] != 0) return;
          x[i + 1] = from / c.strides[i];
        } else {
          x[i + 1] = at[i + 1] * c.strides[i] + shift;
        }
        if (x[i + 1] < 0 || x[i + 1] >= c.x.shape[i + 1]) return;
      }
      for (std::int64_t ic = 0; ic < in_group; ++ic) {
        x.back() = group * in_group + ic;
        Index w{c.transposed ? x.back() : o, c.transposed ? o % out_group : ic};
        w.insert(w.end(), k.begin(), k.end());
        sum += values[0][offset(c.x, x)] * values[1][offset(c.w, w)];
      }
    });
    result.push_back(finish(sum, c.epilogue, values, c.has_bias ? 3 : 2, at));
  });
  return result;
}

std::vector<double> compute(const PoolingCall& p, const Values& values) {
  std::vector<double> result;
  for_each_index(p.y.shape, [&](const Index& at) {
    double sum = 0, most = -std::numeric_limits<double>::infinity();
    std::int64_t count = 0, all = 0;
    for_each_index(p.kernel, [&](const Index& k) {
      ++all;
      Index x = at;
      for (std::size_t i = 0; i < k.size(); ++i) {
        x[i + 1] = at[i + 1] * p.strides[i] + k[i] * p.dilations[i] - p.pads_begin[i];
        if (x[i + 1] < 0 || x[i + 1] >= p.x.shape[i + 1]) return;
      }
      const double v = values[0][offset(p.x, x)];
      ++count;
      sum += v;
      most = std::max(most, v);
    });
    const bool includes = p.kind == PoolingCall::Kind::average_include_pad;
    result.push_back(p.kind == PoolingCall::Kind::max ? most : sum / static_cast<double>(includes ? all : count));
  });
  return result;
}

std::vector<double> compute(const AttentionCall& c, const Values& values) {
  std::vector<double> result;
  const std::size_t rank = c.q.shape.size();
  const std::int64_t n = c.k.shape[rank - 2], d = c.q.shape[rank - 1];
  for_each_index(c.y.shape, [&](const Index& at) {
    Index q = at, k = at, v = at, mask = at;
    std::vector<double> scores;
    double most = -std::numeric_limits<double>::infinity(), sum = 0, total = 0;
    for (std::int64_t j = 0; j < n; ++j) {
      double score = 0;
      k[rank - 2] = mask[rank - 1] = j;
      for (std::int64_t i = 0; i < d; ++i) {
        q[rank - 1] = k[rank - 1] = i;
        score += values[0][offset(c.q, q)] * values[1][offset(c.k, k)];
      }
      score *= c.scale;
      if (c.has_mask()) score += values[3][offset(c.mask, mask)];
      scores.push_back(score);
      most = std::max(most, score);
    }
    for (std::int64_t j = 0; j < n; ++j) {
      v[rank - 2] = j;
      const double p = std::exp(scores[static_cast<std::size_t>(j)] - most);
      sum += p;
      total += p * values[2][offset(c.v, v)];
    }
    result.push_back(n == 0 ? 0 : total / sum);
  });
  return result;
}
std::vector<double> compute(const CollectiveCall&, const Values&) { return {}; }

}  // namespace

std::vector<double> reference(const LibraryCall& call, const Values& values) {
  return std::visit([&](const auto& c) { return compute(c, values); }, call);
}

std::int64_t terms_of(const LibraryCall& call) {
  if (const auto* m = std::get_if<MatMulCall>(&call)) return m->a.shape.back();
  if (const auto* c = std::get_if<ConvolutionCall>(&call)) {
    std::int64_t terms = c->transposed ? c->w.shape[0] / c->groups : c->w.shape[1];
    for (std::size_t i = 2; i < c->w.shape.size(); ++i) terms *= c->w.shape[i];
    return terms;
  }
  return 1;
}

double tolerance(DType output, std::int64_t terms, double expected) {
  // Operands are at most 1, so that a sum of n products is some sqrt(n) and its rounding errors a few of its units.
  // Winograd convolutions (decision 003) round four times as much as sums in order.
  const double f32 = 1.6e-5 * (1 + std::sqrt(static_cast<double>(terms)) + std::abs(expected));
  const double narrow = output == DType::bf16 ? 1.0 / 256 : output == DType::f16 ? 1.0 / 2048 : 0;
  return f32 + narrow * 1.01 * std::abs(expected);
}

std::string describe(const LibraryCall& call) {
  std::string text;
  const std::vector<PostOp>* epilogue = nullptr;
  if (const auto* m = std::get_if<MatMulCall>(&call)) {
    text = fmt::format("matmul {}[{}]x[{}] strides [{}] [{}]{}{} -> {}[{}]", to_string(m->a.dtype),
                       fmt::join(m->a.shape, ","), fmt::join(m->b.shape, ","), fmt::join(m->a.strides, ","),
                       fmt::join(m->b.strides, ","), m->has_bias ? " bias" : "", m->constant_b ? " constant" : "",
                       to_string(m->c.dtype), fmt::join(m->c.shape, ","));
    epilogue = &m->epilogue;
  } else if (const auto* c = std::get_if<ConvolutionCall>(&call)) {
    text =
        fmt::format("{}conv {}[{}] w [{}] stride [{}] dilation [{}] pads [{}|{}] groups {}{}{} -> {}[{}]",
                    c->transposed ? "transposed " : "", to_string(c->x.dtype), fmt::join(c->x.shape, ","),
                    fmt::join(c->w.shape, ","), fmt::join(c->strides, ","), fmt::join(c->dilations, ","),
                    fmt::join(c->pads_begin, ","), fmt::join(c->pads_end, ","), c->groups, c->has_bias ? " bias" : "",
                    c->constant_w ? " constant" : "", to_string(c->y.dtype), fmt::join(c->y.shape, ","));
    epilogue = &c->epilogue;
  } else if (const auto* a = std::get_if<AttentionCall>(&call)) {
    const auto show = [](const TensorDesc& t) {
      return fmt::format("{}[{}] strides [{}]", to_string(t.dtype), fmt::join(t.shape, ","), fmt::join(t.strides, ","));
    };
    text = fmt::format("attention q {} k {} v {} mask {} scale {} -> {}", show(a->q), show(a->k), show(a->v),
                       show(a->mask), a->scale, show(a->y));
  } else if (const auto* p = std::get_if<PoolingCall>(&call)) {
    text = fmt::format("pooling {} {}[{}] kernel [{}] stride [{}] pads [{}|{}] -> [{}]", static_cast<int>(p->kind),
                       to_string(p->x.dtype), fmt::join(p->x.shape, ","), fmt::join(p->kernel, ","),
                       fmt::join(p->strides, ","), fmt::join(p->pads_begin, ","), fmt::join(p->pads_end, ","),
                       fmt::join(p->y.shape, ","));
  }
  if (epilogue != nullptr) {
    for (const auto& op : *epilogue) {
      text += fmt::format(" op{}", static_cast<int>(op.kind));
      if (!op.operand.shape.empty()) text += fmt::format("[{}]", fmt::join(op.operand.strides, ","));
    }
  }
  return text;
}

}  // namespace jitney::backend
