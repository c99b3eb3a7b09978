// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "backend/random_calls.h"

#include <algorithm>
#include <numeric>

#include "backend/calls.h"

namespace jitney::backend {
namespace {

std::int64_t pick(std::mt19937& random, std::initializer_list<std::int64_t> choices) {
  return choices.begin()[random() % choices.size()];
}
bool chance(std::mt19937& random, unsigned one_in) { return random() % one_in == 0; }

/// The shape with its axes in a random order in memory.
TensorDesc shuffled(std::mt19937& random, std::vector<std::int64_t> shape, DType type) {
  std::vector<std::size_t> order(shape.size());
  std::iota(order.begin(), order.end(), 0);
  std::ranges::shuffle(order, random);
  TensorDesc t{type, shape, std::vector<std::int64_t>(shape.size())};
  std::int64_t stride = 1;
  for (const auto axis : order) {
    t.strides[axis] = stride;
    stride *= shape[axis];
  }
  return t;
}

}  // namespace

std::vector<PostOp> random_epilogue(std::mt19937& random, const TensorDesc& y, int count) {
  using enum PostOp::Kind;
  static constexpr PostOp::Kind kKinds[] = {relu,    clip, gelu_erf,    gelu_tanh,   silu,       hard_swish,
                                            sigmoid, tanh, add_operand, mul_operand, add_operand};
  std::vector<PostOp> epilogue;
  for (int i = 0; i < count; ++i) {
    PostOp p{.kind = kKinds[random() % std::size(kKinds)]};
    if (p.kind == clip) {
      p.alpha = static_cast<float>(pick(random, {-1, 0})) / 2;
      p.beta = chance(random, 3) ? std::numeric_limits<float>::infinity() : 1.5f;
    }
    if (p.kind == add_operand || p.kind == mul_operand) {
      p.operand = tensor(y.shape, chance(random, 4) ? DType::f32 : y.dtype);
      const auto spread = pick(random, {0, 0, 1, 2});  // full, along the last axis, scalar
      for (std::size_t axis = 0; axis + (spread == 1 ? 1 : 0) < y.shape.size() && spread != 0; ++axis) {
        p.operand.strides[axis] = 0;
      }
    }
    epilogue.push_back(std::move(p));
  }
  return epilogue;
}

ConvolutionCall random_convolution(std::mt19937& random, DType type) {
  ConvolutionCall c;
  const auto axes = static_cast<std::size_t>(pick(random, {1, 2, 2, 2, 3}));
  c.transposed = chance(random, 5);
  std::int64_t in_group = pick(random, {1, 3, 8, 16, 17, 32}), out_group = pick(random, {1, 5, 8, 16, 24});
  c.groups = pick(random, {1, 1, 1, 2, 4});
  if (chance(random, 4)) {  // depthwise
    c.groups = pick(random, {8, 16, 19, 32});
    in_group = out_group = 1;
  }
  std::vector<std::int64_t> x{pick(random, {1, 1, 2, 3})}, y = x;
  std::vector<std::int64_t> w{c.groups * (c.transposed ? in_group : out_group), c.transposed ? out_group : in_group};
  for (std::size_t i = 0; i < axes;) {
    const auto kernel = pick(random, {1, 2, 3, 5}), stride = pick(random, {1, 1, 2, 3}),
               dilation = pick(random, {1, 1, 2});
    const auto begin = pick(random, {0, 1, 2}), end = pick(random, {0, 1, 2}), extent = pick(random, {1, 5, 7, 11});
    const auto reach = (kernel - 1) * dilation + 1;
    const auto out =
        c.transposed ? (extent - 1) * stride + reach - begin - end : (extent + begin + end - reach) / stride + 1;
    if (out < 1 || (!c.transposed && extent + begin + end < reach) || begin >= reach || end >= reach) continue;
    x.push_back(extent);
    y.push_back(out);
    w.push_back(kernel);
    c.strides.push_back(stride);
    c.dilations.push_back(dilation);
    c.pads_begin.push_back(begin);
    c.pads_end.push_back(end);
    ++i;
  }
  x.push_back(c.groups * in_group);
  y.push_back(c.groups * out_group);
  c.x = tensor(x, type);
  c.y = tensor(y, chance(random, 4) ? DType::f32 : type);
  c.w = shuffled(random, w, type);
  c.has_bias = !chance(random, 3);
  c.bias_dtype = chance(random, 2) ? DType::f32 : type;
  c.constant_w = !chance(random, 6);
  c.epilogue = random_epilogue(random, c.y, static_cast<int>(random() % 4));
  return c;
}

MatMulCall random_matmul(std::mt19937& random, DType type) {
  MatMulCall m;
  const std::int64_t rows = pick(random, {1, 2, 7, 16, 33}), inner = pick(random, {1, 3, 16, 31, 64}),
                     columns = pick(random, {1, 5, 16, 48, 65});
  std::vector<std::int64_t> a, b, c;
  const auto batch_axes = pick(random, {0, 0, 1, 2, 3});
  for (std::int64_t i = 0; i < batch_axes; ++i) c.push_back(pick(random, {1, 2, 3}));
  a = b = c;
  c.insert(c.end(), {rows, columns});
  m.c = tensor(c, chance(random, 4) ? DType::f32 : type);
  const auto matrix = [&](std::vector<std::int64_t> shape, std::int64_t r, std::int64_t k) {
    const bool is_transposed = chance(random, 3);
    const std::int64_t hole = chance(random, 4) ? 3 : 0;
    std::vector<bool> broadcast;
    std::int64_t stride = (r + (is_transposed ? hole : 0)) * (k + (is_transposed ? 0 : hole));
    shape.insert(shape.end(), {r, k});
    TensorDesc t{type, shape, std::vector<std::int64_t>(shape.size(), 0)};
    t.strides[shape.size() - 2] = is_transposed ? 1 : k + hole;
    t.strides[shape.size() - 1] = is_transposed ? r + hole : 1;
    for (std::size_t i = shape.size() - 2; i-- > 0;) {
      if (chance(random, 3)) continue;
      t.strides[i] = stride;
      stride *= shape[i];
    }
    return t;
  };
  m.a = matrix(a, rows, inner);
  m.b = matrix(b, inner, columns);
  if (batch_axes == 2 && chance(random, 2)) {  // heads: [b, h, m, k] seen through [b, m, h, k]
    m.a.strides = {rows * a[1] * inner, inner, a[1] * inner, 1};
  }
  m.has_bias = !chance(random, 3);
  m.bias_dtype = chance(random, 2) ? DType::f32 : type;
  m.constant_b = !chance(random, 3);
  m.epilogue = random_epilogue(random, m.c, static_cast<int>(random() % 4));
  return m;
}

AttentionCall random_attention(std::mt19937& random, DType type) {
  AttentionCall c;
  const std::int64_t m = pick(random, {1, 2, 3, 4, 17, 49, 100}), n = pick(random, {1, 5, 16, 33, 100, 513, 600}),
                     d = pick(random, {1, 8, 24, 32, 64}), e = pick(random, {1, 16, 32, 40, 64});
  const bool has_batch = !chance(random, 3), shares_heads = chance(random, 4);
  const std::int64_t b = pick(random, {1, 2}), h = pick(random, {1, 3});
  // Heads lie side by side in a row, or rows of one head below each other.
  const auto matrices = [&](std::int64_t rows, std::int64_t columns, bool heads_inside, bool shared) {
    TensorDesc t{type, {b, h, rows, columns}, {}};
    if (heads_inside)
      t.strides = {rows * h * columns, columns, h * columns, 1};
    else
      t.strides = {h * rows * columns, rows * columns, columns, 1};
    if (shared) {
      t.strides[1] = 0;
      t.strides[0] = rows * columns, t.strides[2] = columns;
    }
    if (!has_batch) {
      t.shape.erase(t.shape.begin());
      t.strides.erase(t.strides.begin());
    }
    return t;
  };
  c.q = matrices(m, d, chance(random, 2), false);
  c.k = matrices(n, d, chance(random, 2), shares_heads);
  if (chance(random, 4)) {  // k^T as it is
    const std::size_t rank = c.k.shape.size();
    c.k = matrices(d, n, false, shares_heads);
    std::swap(c.k.shape[rank - 2], c.k.shape[rank - 1]);
    std::swap(c.k.strides[rank - 2], c.k.strides[rank - 1]);
  }
  c.v = matrices(n, e, chance(random, 2), shares_heads);
  c.y = matrices(m, e, chance(random, 2), false);
  c.scale = pick(random, {0, 1, 2}) == 0 ? 1.f : 0.25f;
  if (chance(random, 2)) {
    c.mask = matrices(m, n, false, false);
    if (chance(random, 2)) c.mask.dtype = DType::f32;
    for (std::size_t i = 0; i < c.mask.shape.size(); ++i)
      if (chance(random, 3)) c.mask.strides[i] = 0;
  }
  return c;
}

PoolingCall random_pooling(std::mt19937& random, DType type) {
  using enum PoolingCall::Kind;
  static constexpr PoolingCall::Kind kKinds[] = {max, average_include_pad, average_exclude_pad};
  PoolingCall p;
  p.kind = kKinds[random() % 3];
  const auto axes = static_cast<std::size_t>(pick(random, {1, 2, 2, 3}));
  const std::int64_t channels = pick(random, {1, 3, 16, 33, 64});
  std::vector<std::int64_t> x{pick(random, {1, 2, 3})}, y = x;
  for (std::size_t i = 0; i < axes;) {
    const auto kernel = pick(random, {1, 2, 3, 5}), stride = pick(random, {1, 2, 3}),
               extent = pick(random, {1, 6, 7, 12});
    const auto begin = pick(random, {0, 0, 1, 2}), end = pick(random, {0, 0, 1, 2});
    if (extent + begin + end < kernel || begin >= kernel || end >= kernel) continue;
    const auto out = (extent + begin + end - kernel) / stride + 1;
    // The last window must touch the input.
    if ((out - 1) * stride - begin >= extent) continue;
    x.push_back(extent);
    y.push_back(out);
    p.kernel.push_back(kernel);
    p.strides.push_back(stride);
    p.dilations.push_back(1);
    p.pads_begin.push_back(begin);
    p.pads_end.push_back(end);
    ++i;
  }
  x.push_back(channels);
  y.push_back(channels);
  p.x = tensor(x, type);
  p.y = tensor(y, type);
  return p;
}

}  // namespace jitney::backend
