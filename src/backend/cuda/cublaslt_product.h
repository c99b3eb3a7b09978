// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cuda.h>

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "backend/backend.h"
#include "backend/cuda/cublaslt_api.h"
#include "backend/cuda/known_algorithms.h"
#include "backend/cuda/product.h"
#include "backend/cuda/tuning.h"

namespace jitney::backend::cuda {

/// A product with the algorithm that the cache has for it, else the one that cuBLASLt's heuristics name first or, where
/// timing is asked for, the fastest of those that they name. f32 is computed in f32 (no TF32), f16 and bf16
/// with sums in f32. Immutable.
class CublasLtProduct final : public Primitive {
 public:
  /// The device's context is current. Error(environment) where the library has no algorithm. At once it takes one of
  /// `known`, if there is any that will do; what else it takes is known from then on. `is_stopgap`: for something
  /// better that there was no time for.
  static Expected<std::shared_ptr<const CublasLtProduct>> make(const CublasLt& library, cublasLtHandle_t handle,
                                                               const Product& product, const Tuning& tuning,
                                                               Haste haste, KnownAlgorithms& known, bool is_stopgap);
  ~CublasLtProduct() override;
  CublasLtProduct(const CublasLtProduct&) = delete;

  std::size_t scratch_bytes() const override { return workspace_; }
  std::string implementation() const override;
  bool is_reference() const override { return false; }
  bool reads_plain_weights() const override { return true; }
  bool is_provisional() const override { return is_provisional_; }

  /// pointers: the call's operands in its order. Thread-safe: what changes in a run is copied.
  Status run(std::span<void* const> pointers, void* scratch, CUstream stream) const;

 private:
  CublasLtProduct(const CublasLt& library, cublasLtHandle_t handle, const Product& product)
      : library_(library), handle_(handle), p_(product) {}
  Status plan(const Tuning& tuning);
  /// Whether these will do; then they are the ones.
  bool take(const ProductAlgorithms& algorithms);
  /// Runs it on arbitrary bytes, unless they are many.
  void load(const Tuning& tuning) const;
  /// Of each operand, in multiply()'s order.
  std::vector<std::size_t> operand_bytes() const;
  /// What the heuristics name for operands of that alignment, the best first.
  std::vector<cublasLtMatmulHeuristicResult_t> candidates(std::uint32_t alignment, int most,
                                                          std::size_t workspace) const;
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
  ProductAlgorithms algorithms_;
  bool is_provisional_ = false;
  std::size_t workspace_ = 0;
};

}  // namespace jitney::backend::cuda
