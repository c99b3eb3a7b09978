// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "backend/cuda/cublaslt_product.h"

#include <algorithm>
#include <numeric>
#include <sstream>
#include <utility>

#include "backend/cuda/stopwatch.h"
#include "util/log.h"

namespace jitney::backend::cuda {
namespace {

// What NVIDIA recommends for Hopper; a product that needs less takes less.
constexpr std::size_t kWorkspace = 32u << 20;
constexpr std::uint32_t kAligned = 16;
constexpr int kMostTimed = 8;
/// A product of larger operands takes so long itself that loading its code is little.
constexpr std::size_t kMostToLoad = std::size_t{64} << 20;

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

/// All that decides how fast which algorithm is.
std::string text_of(const Product& p) {
  const auto matrix = [](const Product::Matrix& m) {
    return fmt::format("{}x{} by {}{} every {}", m.rows, m.columns, m.stride, m.transposed ? " transposed" : "",
                       m.batch_stride);
  };
  return fmt::format("product {} {}x{}x{} x{}: {}; {}; {}; activation {}{}{}", to_string(p.dtype), p.m, p.k, p.n,
                     p.batch, matrix(p.left), matrix(p.right), matrix(p.result), static_cast<int>(p.activation),
                     p.bias >= 0 ? " bias" : "", p.addend >= 0 ? " addend" : "");
}

bool is_aligned(const void* p) { return reinterpret_cast<std::uintptr_t>(p) % kAligned == 0; }

}  // namespace

Expected<std::shared_ptr<const CublasLtProduct>> CublasLtProduct::make(const CublasLt& library, cublasLtHandle_t handle,
                                                                       const Product& product, const Tuning& tuning,
                                                                       Haste haste, KnownAlgorithms& known,
                                                                       bool is_stopgap) {
  std::shared_ptr<CublasLtProduct> made(new CublasLtProduct(library, handle, product));
  JITNEY_TRY(made->left_, made->layout(product.left));
  JITNEY_TRY(made->right_, made->layout(product.right));
  JITNEY_TRY(made->result_, made->layout(product.result));
  if (haste == Haste::at_once)
    if (const auto like = known.like(tuning.device, product); like && made->take(*like)) {
      made->is_provisional_ = true;
      return std::shared_ptr<const CublasLtProduct>(std::move(made));
    }
  JITNEY_CHECK(made->plan(tuning));
  if (haste == Haste::ahead) made->load(tuning);
  known.add(tuning.device, product, made->algorithms_);
  made->is_provisional_ = is_stopgap;
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

Status CublasLtProduct::plan(const Tuning& tuning) {
  const std::string key = tuning.key(fmt::format("cublaslt {}", library_.version()), text_of(p_));
  if (const auto kept = tuning.recall(key); kept && use(*kept)) return {};
  const auto ask = [&](std::uint32_t alignment, cublasLtMatmulAlgo_t& algo) {
    const auto found = candidates(alignment, 1, kWorkspace);
    if (found.empty()) return false;
    algo = found.front().algo;
    workspace_ = std::max(workspace_, found.front().workspaceSize);
    return true;
  };
  auto& [aligned, unaligned, has_aligned, has_unaligned] = algorithms_;
  has_aligned = ask(kAligned, aligned);
  has_unaligned = ask(static_cast<std::uint32_t>(size_of(p_.dtype)), unaligned);
  if (!has_aligned && !has_unaligned)
    return environment_error("cuBLASLt has no algorithm for a product {}x{}x{} of {}", p_.m, p_.k, p_.n,
                             to_string(p_.dtype));
  if (tuning.times() && has_aligned) time(tuning);
  tuning.keep(key, choice(), tuning.times());
  return {};
}

bool CublasLtProduct::take(const ProductAlgorithms& algorithms) {
  Description description(library_, p_);
  cublasLtMatmulHeuristicResult_t result{};
  if (!algorithms.has_aligned || !description.make(reinterpret_cast<const void*>(std::uintptr_t{256})) ||  // NOLINT
      library_.algo_check(handle_, description.get(), left_, right_, result_, result_, &algorithms.aligned, &result) !=
          CUBLAS_STATUS_SUCCESS ||
      result.workspaceSize > kWorkspace)
    return false;
  algorithms_ = {.aligned = algorithms.aligned, .has_aligned = true};
  workspace_ = result.workspaceSize;
  return true;
}

std::vector<cublasLtMatmulHeuristicResult_t> CublasLtProduct::candidates(std::uint32_t alignment, int most,
                                                                         std::size_t workspace) const {
  Description description(library_, p_);
  cublasLtMatmulPreference_t preference = nullptr;
  // Algorithms are chosen by the pointer's alignment; any aligned address will do.
  if (!description.make(reinterpret_cast<const void*>(std::uintptr_t{256})) ||  // NOLINT
      library_.preference_create(&preference) != CUBLAS_STATUS_SUCCESS)
    return {};
  library_.preference_set(preference, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, &workspace, sizeof workspace);
  for (auto which : {CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES,
                     CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES})
    library_.preference_set(preference, which, &alignment, sizeof alignment);
  // No sum in parts that are rounded to the result's type before they meet.
  const std::uint32_t schemes = CUBLASLT_REDUCTION_SCHEME_COMPUTE_TYPE;
  library_.preference_set(preference, CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK, &schemes, sizeof schemes);
  std::vector<cublasLtMatmulHeuristicResult_t> found(static_cast<std::size_t>(most));
  int count = 0;
  const auto status = library_.heuristic(handle_, description.get(), left_, right_, result_, result_, preference, most,
                                         found.data(), &count);
  library_.preference_destroy(preference);
  found.resize(status == CUBLAS_STATUS_SUCCESS ? static_cast<std::size_t>(count) : 0);
  return found;
}

std::vector<std::size_t> CublasLtProduct::operand_bytes() const {
  const auto bytes = [&](const Product::Matrix& m) {
    return static_cast<std::size_t>((p_.batch - 1) * m.batch_stride + m.columns * std::max(m.stride, m.rows)) *
           size_of(p_.dtype);
  };
  const std::size_t result = bytes(p_.result);
  return {bytes(p_.right), bytes(p_.left), p_.bias < 0 ? 0 : static_cast<std::size_t>(p_.n) * sizeof(float),
          p_.addend < 0 ? 0 : result, result};
}

void CublasLtProduct::load(const Tuning& tuning) const {
  auto bytes = operand_bytes();
  if (!algorithms_.has_aligned || std::accumulate(bytes.begin(), bytes.end(), std::size_t{0}) > kMostToLoad) return;
  Stopwatch once(*tuning.backend, tuning.device, std::move(bytes), std::nullopt);
  const auto ran = once.once(workspace_, [&](std::span<char* const> areas, void* scratch, StreamHandle stream) {
    return multiply(algorithms_.aligned, workspace_, areas[0], areas[1], areas[2], p_.addend < 0 ? nullptr : areas[3],
                    areas[4], scratch, reinterpret_cast<CUstream>(stream));
  });
  if (!ran) log_debug("{} was not loaded ahead: {}", implementation(), ran.error().message);
}

void CublasLtProduct::time(const Tuning& tuning) {
  const auto found = candidates(kAligned, kMostTimed, kWorkspace);
  if (found.size() < 2) return;
  Stopwatch stopwatch(*tuning.backend, tuning.device, operand_bytes(),
                      tuning.has_large_weights() ? std::optional<std::size_t>(1) : std::nullopt);
  const auto seconds = race(found.size(), [&](std::size_t i) {
    return stopwatch.seconds(
        found[i].workspaceSize, [&](std::span<char* const> areas, void* scratch, StreamHandle stream) {
          return multiply(found[i].algo, found[i].workspaceSize, areas[0], areas[1], areas[2],
                          p_.addend < 0 ? nullptr : areas[3], areas[4], scratch, reinterpret_cast<CUstream>(stream));
        });
  });
  for (std::size_t i = 0; i < found.size(); ++i)
    log_debug("{}: algorithm {} of {} takes {:.2f} us", implementation(), i, found.size(), seconds[i] * 1e6);
  if (const auto best = fastest(seconds)) {
    algorithms_.aligned = found[*best].algo;
    workspace_ = std::max(workspace_, found[*best].workspaceSize);
  }
}

/// The two algorithms as words of 64 bits and the workspace: what the library documents as its own to keep.
std::string CublasLtProduct::choice() const {
  std::string text = fmt::format("{}", workspace_);
  for (const auto& [has, algo] : {std::pair(algorithms_.has_aligned, &algorithms_.aligned),
                                  std::pair(algorithms_.has_unaligned, &algorithms_.unaligned)}) {
    text += has ? " 1" : " 0";
    for (const auto word : algo->data) text += fmt::format(" {}", word);
  }
  return text;
}

bool CublasLtProduct::use(const std::string& kept) {
  std::istringstream in(kept);
  std::size_t workspace = 0;
  in >> workspace;
  bool has[2] = {false, false};
  cublasLtMatmulAlgo_t algos[2] = {};
  for (int i = 0; i < 2; ++i) {
    in >> has[i];
    for (auto& word : algos[i].data) in >> word;
  }
  if (!in || workspace > kWorkspace || (!has[0] && !has[1])) return false;
  workspace_ = workspace;
  algorithms_ = {algos[0], algos[1], has[0], has[1]};
  return true;
}

std::string CublasLtProduct::implementation() const {
  return fmt::format("cublasLt:{}x{}x{}{}", p_.m, p_.k, p_.n, p_.batch > 1 ? fmt::format(" x{}", p_.batch) : "");
}

Status CublasLtProduct::once(const char* a, const char* b, const void* bias, const char* addend, char* c, void* scratch,
                             CUstream stream) const {
  const bool aligned = is_aligned(a) && is_aligned(b) && is_aligned(c) && is_aligned(addend) && is_aligned(bias);
  if (!aligned && is_provisional_ && !algorithms_.has_unaligned) {
    // Nobody has asked for one yet: for so rare a case, each time until there is a better plan.
    const auto found = candidates(static_cast<std::uint32_t>(size_of(p_.dtype)), 1, workspace_);
    if (found.empty()) return environment_error("cuBLASLt has no algorithm for operands that are not aligned");
    return multiply(found.front().algo, workspace_, a, b, bias, addend, c, scratch, stream);
  }
  const bool use_aligned = algorithms_.has_aligned && (aligned || !algorithms_.has_unaligned);
  return multiply(use_aligned ? algorithms_.aligned : algorithms_.unaligned, workspace_, a, b, bias, addend, c, scratch,
                  stream);
}

Status CublasLtProduct::multiply(const cublasLtMatmulAlgo_t& algo, std::size_t workspace, const char* a, const char* b,
                                 const void* bias, const char* addend, char* c, void* scratch, CUstream stream) const {
  Description description(library_, p_);
  JITNEY_CHECK(description.make(bias));
  const float one = 1, zero = 0;
  return library_.check(
      library_.matmul(handle_, description.get(), &one, b, left_, a, right_, addend ? &one : &zero, addend ? addend : c,
                      result_, c, result_, &algo, scratch, workspace, reinterpret_cast<cudaStream_t>(stream)),
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
