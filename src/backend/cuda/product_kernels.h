// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "backend/cuda/cublaslt_product.h"
#include "backend/cuda/own_kernels.h"
#include "backend/cuda/product.h"

/// Products that the backend's own kernels do, or end: few rows (kernels/few_rows.inc), where reading the weights is
/// all the work, and GELU by erf behind any (kernels/gelu.inc), which cuBLASLt has by tanh only.
namespace jitney::backend::cuda {

/// Whether the kernel for few rows takes the product.
bool is_for_few_rows(const Product& product, int compute_capability);

/// Columns of a thread, 2 or 4: four, unless the blocks are too few to read from every multiprocessor.
int few_rows_vector(const Product& product, int multiprocessors);
/// What its kernel is compiled from, behind the prelude.
std::string few_rows_source(const Product& product, int vector);
std::string gelu_source(DType dtype);

/// At once only where it is loaded. `options` has services.
Expected<std::shared_ptr<const KernelPrimitive>> plan_few_rows(OwnKernels& kernels, int device, int multiprocessors,
                                                               const Product& product, const PlanOptions& options);

/// `product` without its activation, and GELU over its result, which is `elements` in a row.
Expected<std::shared_ptr<const Primitive>> plan_product_with_gelu(
    OwnKernels& kernels, int device, const Product& product, std::int64_t elements, PlanServices& services,
    const std::shared_ptr<const CublasLtProduct>& without);

/// What plan_product_with_gelu() gives.
class ProductWithGelu : public Primitive {
 public:
  virtual Status run(std::span<void* const> pointers, void* scratch, CUstream stream) const = 0;
};

}  // namespace jitney::backend::cuda
