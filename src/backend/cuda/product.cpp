// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "backend/cuda/product.h"

#include <algorithm>

namespace jitney::backend::cuda {
namespace {

bool is_known(const TensorDesc& t) {
  return std::ranges::all_of(t.shape, [](auto e) { return e >= 0; }) &&
         std::ranges::all_of(t.strides, [](auto s) { return s >= 0; });
}

/// A matrix [rows, columns] with these strides, as BLAS sees its transpose; nothing when neither stride is 1.
std::optional<Product::Matrix> transpose_of(std::int64_t rows, std::int64_t columns, std::int64_t row_stride,
                                            std::int64_t column_stride) {
  // An axis of extent 1 has whatever stride is needed.
  if (column_stride == 1 || columns == 1)
    return Product::Matrix{columns, rows, std::max(rows == 1 ? columns : row_stride, columns), false, 0};
  if (row_stride == 1 || rows == 1) return Product::Matrix{rows, columns, std::max(column_stride, rows), true, 0};
  return std::nullopt;
}

bool take_epilogue(const MatMulCall& call, Product& p) {
  int next = 2;
  if (call.has_bias) p.bias = next++;
  for (const auto& post : call.epilogue) {
    if (p.activation != Product::Activation::none) return false;
    switch (post.kind) {
      case PostOp::Kind::relu: p.activation = Product::Activation::relu; break;
      case PostOp::Kind::gelu_tanh: p.activation = Product::Activation::gelu_tanh; break;
      case PostOp::Kind::gelu_erf:
        if (p.dtype == DType::f32) return false;
        p.activation = Product::Activation::gelu_erf;
        break;
      case PostOp::Kind::add_operand:
        if (p.addend >= 0 || !(post.operand == call.c)) return false;
        p.addend = next++;
        break;
      default: return false;
    }
  }
  p.y = next;
  return true;
}

}  // namespace

std::optional<Product> product_of(const MatMulCall& call) {
  Product p;
  p.dtype = call.a.dtype;
  if (p.dtype != DType::f32 && p.dtype != DType::f16 && p.dtype != DType::bf16) return std::nullopt;
  if (call.b.dtype != p.dtype || call.c.dtype != p.dtype || (call.has_bias && call.bias_dtype != p.dtype))
    return std::nullopt;
  const std::size_t rank = call.c.shape.size();
  if (rank < 2 || !take_epilogue(call, p)) return std::nullopt;
  // Rows of narrow types that are not aligned to 16 bytes have kernels that round before the epilogue.
  const bool is_narrow = p.dtype != DType::f32;
  const auto is_odd = [](std::int64_t extent) { return extent >= 0 && extent % 8 != 0; };
  if (is_narrow && (p.addend >= 0 || p.activation != Product::Activation::none) &&
      (is_odd(call.c.shape[rank - 1]) || is_odd(call.a.shape[rank - 1])))
    return std::nullopt;
  // Of the constant operand the strides are known even where extents are not.
  const auto& bs = call.b.strides;
  if (bs[rank - 2] >= 0 && bs[rank - 1] >= 0 && bs[rank - 2] != 1 && bs[rank - 1] != 1 && call.b.shape[rank - 1] != 1 &&
      call.b.shape[rank - 2] != 1)
    return std::nullopt;
  if (!is_known(call.a) || !is_known(call.b) || !is_known(call.c)) return p;

  p.m = call.c.shape[rank - 2];
  p.n = call.c.shape[rank - 1];
  p.k = call.a.shape[rank - 1];
  if (p.k == 0) return std::nullopt;  // nothing to add up, which the library refuses
  // Rows of all batches are rows of one matrix when b is the same for all of them.
  std::size_t batches = rank - 2;
  std::int64_t a_rows = call.a.strides[rank - 2], c_rows = call.c.strides[rank - 2];
  while (batches > 0) {
    const std::size_t d = batches - 1;
    const bool is_1 = call.c.shape[d] == 1;
    if (!is_1 && (bs[d] != 0 || call.a.strides[d] != a_rows * p.m || call.c.strides[d] != c_rows * p.m)) break;
    if (!is_1) p.m *= call.c.shape[d];
    --batches;
  }
  const auto left = transpose_of(p.k, p.n, bs[rank - 2], bs[rank - 1]);
  const auto right = transpose_of(p.m, p.k, a_rows, call.a.strides[rank - 1]);
  const auto result = transpose_of(p.m, p.n, c_rows, 1);
  if (!left || !right || !result) return std::nullopt;
  p.left = *left;
  p.right = *right;
  p.result = *result;
  for (std::size_t d = 0; d < batches; ++d) {
    if (call.c.shape[d] == 1) continue;
    const Product::Outer axis{call.c.shape[d], call.a.strides[d], bs[d], call.c.strides[d]};
    // Neighbours that all operands walk as one.
    if (!p.outer.empty() && p.outer.back().a == axis.a * axis.extent && p.outer.back().b == axis.b * axis.extent &&
        p.outer.back().c == axis.c * axis.extent)
      p.outer.back() = {p.outer.back().extent * axis.extent, axis.a, axis.b, axis.c};
    else
      p.outer.push_back(axis);
  }
  // The longest one becomes the batch.
  const auto longest = std::ranges::max_element(p.outer, {}, &Product::Outer::extent);
  if (longest != p.outer.end()) {
    p.batch = longest->extent;
    p.right.batch_stride = longest->a;
    p.left.batch_stride = longest->b;
    p.result.batch_stride = longest->c;
    p.outer.erase(longest);
  }
  return p;
}

}  // namespace jitney::backend::cuda
