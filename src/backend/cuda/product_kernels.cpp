// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "backend/cuda/product_kernels.h"

#include <array>

namespace jitney::backend::cuda {
namespace {

constexpr const char* kFewRows =
#include "backend/cuda/kernels/few_rows.inc"
    ;
constexpr const char* kGelu =
#include "backend/cuda/kernels/gelu.inc"
    ;

constexpr std::int64_t kMostRows = 16, kDepthOfAThread = 4, kMostExtent = 1 << 24;
constexpr int kColumnsOfAVector = 8;
constexpr std::uintptr_t kAlignment = 8;

/// Warps of a block: where there are few columns the depth is divided further.
int warps_of(int vector) { return vector == 4 ? 16 : 32; }

class FewRows final : public KernelPrimitive {
 public:
  FewRows(OwnKernels& kernels, int device, KernelHandle kernel, const Product& p, int vector)
      : backend_(kernels.backend()),
        device_(device),
        kernel_(kernel),
        p_(p),
        threads_(warps_of(vector) * 32),
        blocks_((p.n + vector * kColumnsOfAVector - 1) / (vector * kColumnsOfAVector)),
        has_aligned_strides_(p.right.stride % 4 == 0 && p.left.stride % 4 == 0) {}

  std::string implementation() const override { return fmt::format("own:{}x{}x{}", p_.m, p_.k, p_.n); }

  Status run(std::span<void* const> pointers, StreamHandle stream) const override {
    const auto at = [&](int i) { return i < 0 ? nullptr : pointers[static_cast<std::size_t>(i)]; };
    const std::array<void*, 5> p{pointers[0], pointers[1], at(p_.bias), at(p_.addend), at(p_.y)};
    const auto is_aligned = [](void* a) { return reinterpret_cast<std::uintptr_t>(a) % kAlignment == 0; };
    const std::array<std::int64_t, 4> numbers{p_.m, p_.right.stride, p_.result.stride,
                                              has_aligned_strides_ && is_aligned(p[0]) && is_aligned(p[1])};
    LaunchArgs args;
    args.pointers = p.data();
    args.pointer_count = static_cast<std::int32_t>(p.size());
    args.numbers = numbers.data();
    args.number_count = static_cast<std::int32_t>(numbers.size());
    args.end = blocks_;
    args.block_threads = threads_;
    args.block_points = 1;
    args.is_in_call = true;
    return backend_.launch(device_, kernel_, args, stream);
  }

 private:
  Backend& backend_;
  const int device_;
  const KernelHandle kernel_;
  const Product p_;
  const int threads_;
  const std::int64_t blocks_;
  const bool has_aligned_strides_;
};

class WithGelu final : public ProductWithGelu {
 public:
  WithGelu(OwnKernels& kernels, int device, KernelHandle kernel, int y, std::int64_t elements,
           std::shared_ptr<const CublasLtProduct> product)
      : backend_(kernels.backend()),
        device_(device),
        kernel_(kernel),
        y_(y),
        elements_(elements),
        product_(std::move(product)) {}

  std::size_t scratch_bytes() const override { return product_->scratch_bytes(); }
  std::string implementation() const override { return product_->implementation() + "+gelu"; }
  bool is_reference() const override { return false; }
  bool reads_plain_weights() const override { return true; }
  bool is_provisional() const override { return product_->is_provisional(); }

  Status run(std::span<void* const> pointers, void* scratch, CUstream stream) const override {
    JITNEY_CHECK(product_->run(pointers, scratch, stream));
    void* const y = pointers[static_cast<std::size_t>(y_)];
    LaunchArgs args;
    args.pointers = &y;
    args.pointer_count = 1;
    args.numbers = &elements_;
    args.number_count = 1;
    args.end = elements_;
    args.block_threads = 256;
    args.block_points = 256 * 8;
    args.is_in_call = true;
    return backend_.launch(device_, kernel_, args, reinterpret_cast<StreamHandle>(stream));  // NOLINT
  }

 private:
  Backend& backend_;
  const int device_;
  const KernelHandle kernel_;
  const int y_;
  const std::int64_t elements_;
  const std::shared_ptr<const CublasLtProduct> product_;
};

}  // namespace

bool is_for_few_rows(const Product& p, int compute_capability) {
  if (p.dtype == DType::f32 || compute_capability < (p.dtype == DType::bf16 ? 80 : 75)) return false;
  return p.m >= 1 && p.m <= kMostRows && p.n >= 1 && p.k >= 1 && p.batch == 1 && p.outer.empty() &&
         !p.right.transposed && !p.result.transposed && p.k % kDepthOfAThread == 0 && p.n % 2 == 0 &&
         p.n < kMostExtent && p.k < kMostExtent && p.left.stride < kMostExtent;
}

int few_rows_vector(const Product& p, int multiprocessors) {
  return p.n % 4 == 0 && p.n / (4 * kColumnsOfAVector) >= multiprocessors / 2 ? 4 : 2;
}

std::string few_rows_source(const Product& p, int vector) {
  return fmt::format(
      "#define VECTOR {}\n#define WARPS {}\n#define ACROSS {}\n#define WIDE {}\n#define DEPTH {}\n#define B_STEP {}\n"
      "#define ACTIVATION {}\n#define BF16 {}\n{}",
      vector, warps_of(vector), p.left.transposed ? 0 : 1, p.n, p.k, p.left.stride, static_cast<int>(p.activation),
      p.dtype == DType::bf16 ? 1 : 0, kFewRows);
}

std::string gelu_source(DType dtype) { return fmt::format("#define BF16 {}\n{}", dtype == DType::bf16 ? 1 : 0, kGelu); }

Expected<std::shared_ptr<const KernelPrimitive>> plan_few_rows(OwnKernels& kernels, int device, int multiprocessors,
                                                               const Product& product, const PlanOptions& options) {
  const int vector = few_rows_vector(product, multiprocessors);
  const std::string source = few_rows_source(product, vector);
  if (options.haste == Haste::at_once && kernels.loaded(device, source) == 0)
    return environment_error("its kernel is not loaded");
  JITNEY_TRY(const KernelHandle kernel, kernels.get(device, "product of few rows", source, *options.services));
  return std::make_shared<const FewRows>(kernels, device, kernel, product, vector);
}

Expected<std::shared_ptr<const Primitive>> plan_product_with_gelu(
    OwnKernels& kernels, int device, const Product& product, std::int64_t elements, PlanServices& services,
    const std::shared_ptr<const CublasLtProduct>& without) {
  JITNEY_TRY(const KernelHandle kernel, kernels.get(device, "gelu", gelu_source(product.dtype), services));
  return std::make_shared<const WithGelu>(kernels, device, kernel, product.y, elements, without);
}

}  // namespace jitney::backend::cuda
