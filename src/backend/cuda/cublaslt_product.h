// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cuda.h>

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "backend/backend.h"
#include "backend/cuda/cublaslt_api.h"
#include "backend/cuda/product.h"
#include "backend/cuda/tuning.h"

namespace jitney::backend::cuda {

/// A product with the algorithm that the cache has for it, else the one that cuBLASLt's heuristics name first or, where
/// timing is asked for, the fastest of those that they name. f32 is computed in f32 (no TF32), f16 and bf16
/// with sums in f32. Immutable.
class CublasLtProduct final : public Primitive {
 public:
  /// The device's context is current. Error(environment) where the library has no algorithm.
  static Expected<std::shared_ptr<const CublasLtProduct>> make(const CublasLt& library, cublasLtHandle_t handle,
                                                               const Product& product, const Tuning& tuning);
  ~CublasLtProduct() override;
  CublasLtProduct(const CublasLtProduct&) = delete;

  std::size_t scratch_bytes() const override { return workspace_; }
  std::string implementation() const override;
  bool is_reference() const override { return false; }

  /// pointers: the call's operands in its order. Thread-safe: what changes in a run is copied.
  Status run(std::span<void* const> pointers, void* scratch, CUstream stream) const;

 private:
  CublasLtProduct(const CublasLt& library, cublasLtHandle_t handle, const Product& product)
      : library_(library), handle_(handle), p_(product) {}
  Status plan(const Tuning& tuning);
  /// What the heuristics name for operands of that alignment, the best first.
  std::vector<cublasLtMatmulHeuristicResult_t> candidates(std::uint32_t alignment, int most) const;
  void time(const Tuning& tuning);
  bool use(const std::string& kept);
  std::string choice() const;
  Expected<cublasLtMatrixLayout_t> layout(const Product::Matrix& matrix) const;
  Status once(const char* a, const char* b, const void* bias, const char* addend, char* c, void* scratch,
              CUstream stream) const;
  Status multiply(const cublasLtMatmulAlgo_t& algo, std::size_t workspace, const char* a, const char* b,
                  const void* bias, const char* addend, char* c, void* scratch, CUstream stream) const;

  const CublasLt& library_;
  const cublasLtHandle_t handle_;
  const Product p_;
  cublasLtMatrixLayout_t left_ = nullptr, right_ = nullptr, result_ = nullptr;
  /// Operands that are not aligned to 16 bytes are rare: they have an algorithm of their own.
  cublasLtMatmulAlgo_t aligned_{}, unaligned_{};
  bool has_aligned_ = false, has_unaligned_ = false;
  std::size_t workspace_ = 0;
};

}  // namespace jitney::backend::cuda
