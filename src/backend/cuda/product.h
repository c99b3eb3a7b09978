// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "backend/library_call.h"

namespace jitney::backend::cuda {

/// A MatMulCall in the terms of BLAS, whose matrices have columns of stride 1. A row-major c = a b is there the
/// transposed product c' = b' a', so that the bias lies along c''s first axis, as BLAS wants it.
struct Product {
  struct Matrix {
    std::int64_t rows = 0, columns = 0;  ///< as stored: rows have stride 1
    std::int64_t stride = 0;             ///< from column to column
    bool transposed = false;             ///< to be used as columns by rows
    std::int64_t batch_stride = 0;       ///< between the matrices of one batch
  };
  /// gelu_erf is none of cuBLASLt's: product_kernels.h has it.
  enum class Activation : std::uint8_t { none, relu, gelu_tanh, gelu_erf };

  DType dtype = DType::f32;
  std::int64_t m = 0, n = 0, k = 0;  ///< of the row-major product
  Matrix left, right, result;        ///< b', a', c'
  std::int64_t batch = 1;
  /// Batches that one call cannot express: it is repeated for each point of these axes, with strides in elements of a,
  /// b and c.
  struct Outer {
    std::int64_t extent, a, b, c;
  };
  std::vector<Outer> outer;
  Activation activation = Activation::none;
  // Where operands are among the call's pointers; -1 for none.
  int bias = -1, addend = -1, y = -1;
};

/// What a call is as a product. Nothing where it cannot be one: another type, an epilogue that the library does not
/// have, or a matrix without an axis of stride 1. Extents and strides of -1 are unknown and do not speak against it
/// (the result then only says that).
std::optional<Product> product_of(const MatMulCall& call);

}  // namespace jitney::backend::cuda
