// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "backend/cuda/cublaslt_product.h"

#include <algorithm>

namespace jitney::backend::cuda {
namespace {

// What NVIDIA recommends for Hopper; a product that needs less takes less.
constexpr std::size_t kWorkspace = 32u << 20;
constexpr std::uint32_t kAligned = 16;

cudaDataType_t type_of(DType t) { return t == DType::f32 ? CUDA_R_32F : t == DType::f16 ? CUDA_R_16F : CUDA_R_16BF; }

/// A description of one product, which is small and made for each run: its bias pointer is part of it.
class Description {
 public:
  Description(const CublasLt& library, const Product& p) : library_(library), p_(p) {}
  ~Description() {
    if (desc_) library_.desc_destroy(desc_);
  }
  Description(const Description&) = delete;

  Status make(const void* bias) {
    JITNEY_CHECK(
        library_.check(library_.desc_create(&desc_, CUBLAS_COMPUTE_32F, CUDA_R_32F), "cublasLtMatmulDescCreate"));
    const auto operation = [](const Product::Matrix& m) { return m.transposed ? CUBLAS_OP_T : CUBLAS_OP_N; };
    JITNEY_CHECK(set(CUBLASLT_MATMUL_DESC_TRANSA, operation(p_.left)));
    JITNEY_CHECK(set(CUBLASLT_MATMUL_DESC_TRANSB, operation(p_.right)));
    JITNEY_CHECK(set(CUBLASLT_MATMUL_DESC_EPILOGUE, epilogue()));
    if (p_.bias < 0) return {};
    JITNEY_CHECK(set(CUBLASLT_MATMUL_DESC_BIAS_POINTER, bias));
    return set(CUBLASLT_MATMUL_DESC_BIAS_DATA_TYPE, type_of(p_.dtype));
  }
  cublasLtMatmulDesc_t get() const { return desc_; }

 private:
  const CublasLt& library_;
  const Product& p_;
  cublasLtMatmulDesc_t desc_ = nullptr;

  template <class T>
  Status set(cublasLtMatmulDescAttributes_t attribute, const T& value) {
    return library_.check(library_.desc_set(desc_, attribute, &value, sizeof value), "cublasLtMatmulDescSetAttribute");
  }

  cublasLtEpilogue_t epilogue() const {
    const bool bias = p_.bias >= 0;
    switch (p_.activation) {
      case Product::Activation::relu: return bias ? CUBLASLT_EPILOGUE_RELU_BIAS : CUBLASLT_EPILOGUE_RELU;
      case Product::Activation::gelu_tanh: return bias ? CUBLASLT_EPILOGUE_GELU_BIAS : CUBLASLT_EPILOGUE_GELU;
      default: return bias ? CUBLASLT_EPILOGUE_BIAS : CUBLASLT_EPILOGUE_DEFAULT;
    }
  }
};

bool is_aligned(const void* p) { return reinterpret_cast<std::uintptr_t>(p) % kAligned == 0; }

}  // namespace

Expected<std::shared_ptr<const CublasLtProduct>> CublasLtProduct::make(const CublasLt& library, cublasLtHandle_t handle,
                                                                       const Product& product) {
  std::shared_ptr<CublasLtProduct> made(new CublasLtProduct(library, handle, product));
  JITNEY_CHECK(made->plan());
  return std::shared_ptr<const CublasLtProduct>(std::move(made));
}

CublasLtProduct::~CublasLtProduct() {
  for (auto layout : {left_, right_, result_})
    if (layout) library_.layout_destroy(layout);
}

Expected<cublasLtMatrixLayout_t> CublasLtProduct::layout(const Product::Matrix& m) const {
  cublasLtMatrixLayout_t made = nullptr;
  JITNEY_CHECK(library_.check(library_.layout_create(&made, type_of(p_.dtype), static_cast<std::uint64_t>(m.rows),
                                                     static_cast<std::uint64_t>(m.columns), m.stride),
                              "cublasLtMatrixLayoutCreate"));
  const auto batch = static_cast<std::int32_t>(p_.batch);
  library_.layout_set(made, CUBLASLT_MATRIX_LAYOUT_BATCH_COUNT, &batch, sizeof batch);
  library_.layout_set(made, CUBLASLT_MATRIX_LAYOUT_STRIDED_BATCH_OFFSET, &m.batch_stride, sizeof m.batch_stride);
  return made;
}

Status CublasLtProduct::plan() {
  JITNEY_TRY(left_, layout(p_.left));
  JITNEY_TRY(right_, layout(p_.right));
  JITNEY_TRY(result_, layout(p_.result));
  Description description(library_, p_);
  // Algorithms are chosen by the pointer's alignment; any aligned address will do.
  JITNEY_CHECK(description.make(reinterpret_cast<const void*>(std::uintptr_t{256})));
  auto choose = [&](std::uint32_t alignment, cublasLtMatmulAlgo_t& algo) {
    cublasLtMatmulPreference_t preference = nullptr;
    if (library_.preference_create(&preference) != CUBLAS_STATUS_SUCCESS) return false;
    library_.preference_set(preference, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, &kWorkspace, sizeof kWorkspace);
    for (auto which : {CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES,
                       CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES})
      library_.preference_set(preference, which, &alignment, sizeof alignment);
    // No sum in parts that are rounded to the result's type before they meet.
    const std::uint32_t schemes = CUBLASLT_REDUCTION_SCHEME_COMPUTE_TYPE;
    library_.preference_set(preference, CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK, &schemes, sizeof schemes);
    cublasLtMatmulHeuristicResult_t found{};
    int count = 0;
    const auto status =
        library_.heuristic(handle_, description.get(), left_, right_, result_, result_, preference, 1, &found, &count);
    library_.preference_destroy(preference);
    if (status != CUBLAS_STATUS_SUCCESS || count == 0) return false;
    algo = found.algo;
    workspace_ = std::max(workspace_, found.workspaceSize);
    return true;
  };
  has_aligned_ = choose(kAligned, aligned_);
  has_unaligned_ = choose(static_cast<std::uint32_t>(size_of(p_.dtype)), unaligned_);
  if (!has_aligned_ && !has_unaligned_)
    return environment_error("cuBLASLt has no algorithm for a product {}x{}x{} of {}", p_.m, p_.k, p_.n,
                             to_string(p_.dtype));
  return {};
}

std::string CublasLtProduct::implementation() const {
  return fmt::format("cublasLt:{}x{}x{}{}", p_.m, p_.k, p_.n, p_.batch > 1 ? fmt::format(" x{}", p_.batch) : "");
}

Status CublasLtProduct::once(const char* a, const char* b, const void* bias, const char* addend, char* c, void* scratch,
                             CUstream stream) const {
  Description description(library_, p_);
  JITNEY_CHECK(description.make(bias));
  const float one = 1, zero = 0;
  const bool aligned = is_aligned(a) && is_aligned(b) && is_aligned(c) && is_aligned(addend) && is_aligned(bias);
  const bool use_aligned = has_aligned_ && (aligned || !has_unaligned_);
  return library_.check(library_.matmul(handle_, description.get(), &one, b, left_, a, right_, addend ? &one : &zero,
                                        addend ? addend : c, result_, c, result_, use_aligned ? &aligned_ : &unaligned_,
                                        scratch, workspace_, reinterpret_cast<cudaStream_t>(stream)),
                        "cublasLtMatmul");
}

Status CublasLtProduct::run(std::span<void* const> pointers, void* scratch, CUstream stream) const {
  if (p_.m == 0 || p_.n == 0 || p_.batch == 0) return {};
  auto at = [&](int i) { return i < 0 ? nullptr : static_cast<char*>(pointers[static_cast<std::size_t>(i)]); };
  const auto size = static_cast<std::int64_t>(size_of(p_.dtype));
  std::int64_t points = 1;
  for (const auto& axis : p_.outer) points *= axis.extent;
  for (std::int64_t point = 0; point < points; ++point) {
    std::int64_t rest = point, a = 0, b = 0, c = 0;
    for (std::size_t i = p_.outer.size(); i-- > 0;) {
      const std::int64_t index = rest % p_.outer[i].extent;
      rest /= p_.outer[i].extent;
      a += index * p_.outer[i].a;
      b += index * p_.outer[i].b;
      c += index * p_.outer[i].c;
    }
    const char* addend = at(p_.addend);
    JITNEY_CHECK(once(at(0) + a * size, at(1) + b * size, at(p_.bias), addend ? addend + c * size : nullptr,
                      at(p_.y) + c * size, scratch, stream));
  }
  return {};
}

}  // namespace jitney::backend::cuda
