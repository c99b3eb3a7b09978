// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <random>

#include "backend/library_call.h"

/// Small library calls of every sort, from a seeded generator. All extents are known and agree.
namespace jitney::backend {

ConvolutionCall random_convolution(std::mt19937& random, DType type);
MatMulCall random_matmul(std::mt19937& random, DType type);
AttentionCall random_attention(std::mt19937& random, DType type);
PoolingCall random_pooling(std::mt19937& random, DType type);

/// `count` post-operations over an output like `y`.
std::vector<PostOp> random_epilogue(std::mt19937& random, const TensorDesc& y, int count);

}  // namespace jitney::backend
