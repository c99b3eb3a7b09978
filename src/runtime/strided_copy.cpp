// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "runtime/strided_copy.h"

#include <array>

#include "runtime/strided.h"

namespace jitney::runtime {
namespace {

constexpr int kThreads = 256;

/// One element a thread and round; the last axis is the fastest, so neighbours write neighbours.
std::string source_for(std::size_t element_bytes) {
  const char* type = element_bytes == 1   ? "unsigned char"
                     : element_bytes == 2 ? "unsigned short"
                     : element_bytes == 4 ? "unsigned int"
                                          : "unsigned long long";
  return fmt::format(R"(typedef {0} element;
struct jitney_args {{ const element* x; element* y; long long n[{1}], s[{1}], begin, end; int* fault; }};
extern "C" __global__ void jitney_kernel(const __grid_constant__ jitney_args a) {{
  for (long long i = blockIdx.x * (long long)blockDim.x + threadIdx.x; i < a.end; i += gridDim.x * (long long)blockDim.x) {{
    long long rest = i, at = 0;
#pragma unroll
    for (int d = {1} - 1; d >= 0; --d) {{
      at += rest % a.n[d] * a.s[d];
      rest /= a.n[d];
    }}
    a.y[i] = a.x[at];
  }}
}}
)",
                     type, StridedCopy::kRank);
}

std::shared_ptr<const Program> program_for(std::size_t element_bytes) {
  auto program = std::make_shared<Program>();
  compiler::EmittedKernel kernel;
  kernel.language = backend::SourceLanguage::cuda;
  kernel.code = source_for(element_bytes);
  kernel.block_threads = kernel.block_points = kThreads;
  program->sources.push_back(std::move(kernel));
  program->source_names.push_back(fmt::format("copy of strided elements of {} bytes", element_bytes));
  return program;
}

/// Element strides, row-major where the view has none.
std::vector<std::int64_t> strides_of(const TensorView& view) {
  if (!view.strides.empty()) return {view.strides.begin(), view.strides.end()};
  std::vector<std::int64_t> strides(view.shape.size(), 1);
  for (std::size_t d = strides.size(); d-- > 1;) strides[d - 1] = strides[d] * view.shape[d];
  return strides;
}

}  // namespace

backend::KernelHandle StridedCopy::kernel(std::size_t element_bytes) {
  if (target_.info.language != backend::SourceLanguage::cuda) return 0;
  const std::lock_guard lock(mutex_);
  auto& set = kernels_[element_bytes];
  if (!set)
    set = std::make_unique<KernelSet>(sources_of(program_for(element_bytes)), target_, *cache_,
                                      shared_compiler(target_.info.language));
  return set->handles()[0];
}

Status StridedCopy::copy(const TensorView& view, void* to, backend::StreamHandle stream) {
  std::int64_t count = 1;
  for (const auto extent : view.shape) count *= extent;
  if (count == 0) return {};
  const backend::KernelHandle k = view.shape.size() <= kRank ? kernel(size_of(view.dtype)) : 0;
  if (k == 0) return copy_by_host(view, to, stream);
  std::array<std::int64_t, 2 * kRank> numbers{};
  std::fill_n(numbers.begin(), kRank, 1);
  const auto strides = strides_of(view);
  const std::size_t pad = kRank - view.shape.size();
  for (std::size_t d = 0; d < view.shape.size(); ++d) {
    numbers[pad + d] = view.shape[d];
    numbers[kRank + pad + d] = strides[d];
  }
  void* const pointers[] = {view.data, to};
  backend::LaunchArgs args;
  args.pointers = pointers;
  args.pointer_count = 2;
  args.numbers = numbers.data();
  args.number_count = static_cast<std::int32_t>(numbers.size());
  args.end = count;
  args.block_threads = args.block_points = kThreads;
  return target_.backend->launch(target_.device, k, args, stream);
}

Status StridedCopy::copy_by_host(const TensorView& view, void* to, backend::StreamHandle stream) {
  auto& b = *target_.backend;
  const auto strides = strides_of(view);
  const auto [low, high] = reach(view.shape, strides);
  const auto size = static_cast<std::int64_t>(size_of(view.dtype));
  std::vector<char> all(static_cast<std::size_t>((high - low + 1) * size));
  Tensor dense(view.dtype, {view.shape.begin(), view.shape.end()});
  JITNEY_CHECK(b.copy(target_.device, all.data(), static_cast<const char*>(view.data) + low * size, all.size(),
                      backend::CopyKind::device_to_host, stream));
  JITNEY_CHECK(b.synchronize(target_.device, stream));
  copy_strided(view.dtype, view.shape, all.data() - low * size, strides, dense.data());
  JITNEY_CHECK(b.copy(target_.device, to, dense.data(), dense.num_bytes(), backend::CopyKind::host_to_device, stream));
  return b.synchronize(target_.device, stream);
}

}  // namespace jitney::runtime
