// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include <jitney/dtype.h>

/// What vendor libraries do for us: a closed set, each with an epilogue, for one concrete shape.
/// An extent of -1 is not known yet: such a call can be offered (Backend::offers) but not planned.
namespace jitney::backend {

/// One operand: strides are counted in elements; 0 is a broadcast.
struct TensorDesc {
  DType dtype = DType::f32;
  std::vector<std::int64_t> shape, strides;
  friend bool operator==(const TensorDesc&, const TensorDesc&) = default;
};

/// One operation applied to every output element, in order, in f32; a result may be rounded before a gelu_erf.
struct PostOp {
  enum class Kind : std::uint8_t {
    relu,
    clip,
    gelu_erf,
    gelu_tanh,
    silu,
    hard_swish,
    sigmoid,
    tanh,
    add_operand,
    mul_operand
  };
  Kind kind = Kind::relu;
  float alpha = 0, beta = 0;  ///< clip: lower and upper bound
  TensorDesc operand;         ///< add_operand, mul_operand: of the output's rank, broadcast by strides of 0
  friend bool operator==(const PostOp&, const PostOp&) = default;
};

/// c[batch..., m, n] = a[batch..., m, k] b[batch..., k, n] (+ bias[n]), f32 accumulation. All of one rank >= 2; a batch
/// extent is c's, or broadcast by a stride of 0. Operands in the order a, b, bias?, operands of post-operations, c.
struct MatMulCall {
  TensorDesc a, b, c;
  bool has_bias = false;
  DType bias_dtype = DType::f32;
  bool constant_b = false;  ///< b is packed: its operand at run time is what pack() gave
  std::vector<PostOp> epilogue;
  friend bool operator==(const MatMulCall&, const MatMulCall&) = default;
};

/// Activations are channels-last: x [n, s..., c], y [n, s..., o], both contiguous; w [o, c/groups, k...], or for a
/// transposed one [c, o/groups, k...], with any strides. Operands in the order x, w, bias?, operands of
/// post-operations, y.
struct ConvolutionCall {
  TensorDesc x, w, y;
  std::vector<std::int64_t> strides, dilations, pads_begin, pads_end;  ///< one a spatial axis; dilation 1 is dense
  std::int64_t groups = 1;
  bool transposed = false;
  bool has_bias = false;
  DType bias_dtype = DType::f32;
  bool constant_w = false;  ///< w is packed: its operand at run time is what pack() gave
  std::vector<PostOp> epilogue;
  friend bool operator==(const ConvolutionCall&, const ConvolutionCall&) = default;
};

/// x [n, s..., c], y [n, s'..., c], channels-last and contiguous. Operands in the order x, y.
struct PoolingCall {
  enum class Kind : std::uint8_t { max, average_include_pad, average_exclude_pad } kind = Kind::max;
  TensorDesc x, y;
  std::vector<std::int64_t> kernel, strides, dilations, pads_begin, pads_end;
  friend bool operator==(const PoolingCall&, const PoolingCall&) = default;
};

/// y[batch..., m, e] = softmax(scale * q[batch..., m, d] k[batch..., n, d]^T + mask[batch..., m, n]) v[batch..., n, e],
/// in f32. All of one rank >= 2, with any strides: an operand that all points of an axis share has stride 0 there. The
/// mask may have extents of 1; one of rank 0 is none. Operands in the order q, k, v, mask?, y.
struct AttentionCall {
  TensorDesc q, k, v, mask, y;
  float scale = 1;
  bool has_mask() const { return !mask.shape.empty(); }
  friend bool operator==(const AttentionCall&, const AttentionCall&) = default;
};

struct CollectiveCall {
  enum class Kind : std::uint8_t { all_reduce, all_gather, reduce_scatter } kind = Kind::all_reduce;
  TensorDesc x, y;
  friend bool operator==(const CollectiveCall&, const CollectiveCall&) = default;
};

using LibraryCall = std::variant<MatMulCall, ConvolutionCall, PoolingCall, AttentionCall, CollectiveCall>;

}  // namespace jitney::backend
