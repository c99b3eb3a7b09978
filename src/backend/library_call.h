// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include <jitney/dtype.h>

/// What vendor libraries do for us: a closed set, each with an epilogue, for one concrete shape.
namespace jitney::backend {

/// One operation applied to every output element, in order.
struct PostOp {
  enum class Kind : std::uint8_t { relu, clip, gelu_erf, gelu_tanh, silu, hard_swish, sigmoid, tanh, add_operand };
  Kind kind = Kind::relu;
  float alpha = 0, beta = 0;  ///< clip: lower and upper bound
};

struct TensorDesc {
  DType dtype = DType::f32;
  std::vector<std::int64_t> shape, strides;
};

/// c[batch..., m, n] = a[batch..., m, k] b[batch..., k, n] (+ bias[n]), f32 accumulation.
struct MatMulCall {
  TensorDesc a, b, c;
  bool has_bias = false;
  bool constant_b = false;
  std::vector<PostOp> epilogue;
};

struct ConvolutionCall {
  TensorDesc x, w, y;
  std::vector<std::int64_t> strides, dilations, pads_begin, pads_end;
  std::int64_t groups = 1;
  bool transposed = false;
  bool has_bias = false;
  std::vector<PostOp> epilogue;
};

struct PoolingCall {
  enum class Kind : std::uint8_t { max, average_include_pad, average_exclude_pad } kind = Kind::max;
  TensorDesc x, y;
  std::vector<std::int64_t> kernel, strides, dilations, pads_begin, pads_end;
};

struct AttentionCall {
  TensorDesc q, k, v, y;
  bool causal = false;
  float scale = 1;
};

struct CollectiveCall {
  enum class Kind : std::uint8_t { all_reduce, all_gather, reduce_scatter } kind = Kind::all_reduce;
  TensorDesc x, y;
};

using LibraryCall = std::variant<MatMulCall, ConvolutionCall, PoolingCall, AttentionCall, CollectiveCall>;

}  // namespace jitney::backend
