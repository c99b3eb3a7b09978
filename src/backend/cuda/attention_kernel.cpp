// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "backend/cuda/attention_kernel.h"

#include <algorithm>
#include <array>
#include <bit>
#include <limits>

namespace jitney::backend::cuda {
namespace {

constexpr const char* kFetch =
#include "backend/cuda/kernels/fetch.inc"
    ;
constexpr const char* kSource =
#include "backend/cuda/kernels/attention.inc"
    ;
constexpr const char* kSourceF32 =
#include "backend/cuda/kernels/attention_f32.inc"
    ;

// With more keys than this cuDNN's kernels for whole warpgroups win.
constexpr std::int64_t kMostKeys = 512;
constexpr std::int64_t kRowsOfAWarp = 16, kWarps = 4;
constexpr int kThreads = 128, kMostSplit = 4;
constexpr std::uintptr_t kAlignment = 16;
// As kernels/attention.inc counts its numbers; the last is the run's. The other kernel has four more.
constexpr std::size_t kAligned = 21, kNumbers = 22, kNumbersF32 = 26;

/// [batch, batch, rows, columns]: axes of 1 are added in front.
TensorDesc of_rank_4(TensorDesc t) {
  while (t.shape.size() < 4) {
    t.shape.insert(t.shape.begin(), 1);
    t.strides.insert(t.strides.begin(), 0);
  }
  for (std::size_t d = 0; d < 4; ++d)
    if (t.shape[d] == 1) t.strides[d] = d == 3 ? 1 : 0;
  return t;
}

class AttentionKernel final : public KernelPrimitive {
 public:
  AttentionKernel(OwnKernels& kernels, int device, KernelHandle kernel, const AttentionCall& call, int split,
                  bool is_provisional)
      : backend_(kernels.backend()),
        device_(device),
        kernel_(kernel),
        has_mask_(call.has_mask()),
        number_count_(call.q.dtype == DType::f32 ? kNumbersF32 : kNumbers),
        is_provisional_(is_provisional) {
    const TensorDesc q = of_rank_4(call.q), k = of_rank_4(call.k), v = of_rank_4(call.v), y = of_rank_4(call.y);
    TensorDesc mask = has_mask_ ? of_rank_4(call.mask) : TensorDesc{};
    mask.strides.resize(4);
    if (has_mask_ && mask.shape[3] == 1) mask.strides[3] = 0;
    const std::int64_t rows = y.shape[2], block_rows = kWarps / split * kRowsOfAWarp;
    blocks_ = y.shape[0] * y.shape[1] * ((rows + block_rows - 1) / block_rows);
    std::size_t at = 0;
    const auto put = [&](std::int64_t n) { numbers_[at++] = n; };
    for (auto n : {y.shape[0], y.shape[1], rows, k.shape[2]}) put(n);
    for (const TensorDesc* t : {&q, &k, &v, static_cast<const TensorDesc*>(&mask), &y})
      for (std::size_t d = 0; d < 3; ++d) put(t->strides[d]);
    put(mask.strides[3]);
    put(std::bit_cast<std::int32_t>(call.scale));
    ++at;
    const auto in_vectors = [bytes = static_cast<std::int64_t>(size_of(call.q.dtype))](std::int64_t elements) {
      return elements * bytes % std::int64_t{kAlignment} == 0;
    };
    for (const TensorDesc* t : {&q, &k, &v, &y}) {
      if (number_count_ == kNumbersF32) put(t->strides[3]);
      has_aligned_strides_ = has_aligned_strides_ && t->strides[3] == 1 && in_vectors(t->shape[3]) &&
                             std::all_of(t->strides.begin(), t->strides.begin() + 3, in_vectors);
    }
  }

  std::string implementation() const override { return "own:attention"; }
  bool is_provisional() const override { return is_provisional_; }

  Status run(std::span<void* const> pointers, StreamHandle stream) const override {
    const std::array<void*, 5> p{pointers[0], pointers[1], pointers[2], has_mask_ ? pointers[3] : nullptr,
                                 pointers[has_mask_ ? 4 : 3]};
    auto numbers = numbers_;
    const auto is_aligned = [](void* a) { return reinterpret_cast<std::uintptr_t>(a) % kAlignment == 0; };
    numbers[kAligned] =
        has_aligned_strides_ && is_aligned(p[0]) && is_aligned(p[1]) && is_aligned(p[2]) && is_aligned(p[4]);
    LaunchArgs args;
    args.pointers = p.data();
    args.pointer_count = static_cast<std::int32_t>(p.size());
    args.numbers = numbers.data();
    args.number_count = static_cast<std::int32_t>(number_count_);
    args.end = blocks_;
    args.block_threads = kThreads;
    args.block_points = 1;
    args.is_in_call = true;
    return backend_.launch(device_, kernel_, args, stream);
  }

 private:
  Backend& backend_;
  const int device_;
  const KernelHandle kernel_;
  const bool has_mask_;
  const std::size_t number_count_;
  const bool is_provisional_;
  bool has_aligned_strides_ = true;
  std::int64_t blocks_ = 0;
  std::array<std::int64_t, kNumbersF32> numbers_{};
};

}  // namespace

bool is_attention_in_f32(const AttentionCall& call) {
  const std::size_t rank = call.q.shape.size();
  if (rank < 2 || rank > 4) return false;
  for (const TensorDesc* t : {&call.q, &call.k, &call.v, &call.y})
    if (t->dtype != DType::f32 || t->shape.size() != rank || t->strides.size() != rank) return false;
  if (call.has_mask() && (call.mask.dtype != DType::f32 || call.mask.shape.size() != rank)) return false;
  // With longer rows there is too little shared memory for a thread to have enough of them, and cuBLASLt is faster.
  const auto fits = [](std::int64_t length) { return length > 0 && length <= 64; };
  return fits(call.q.shape[rank - 1]) && fits(call.v.shape[rank - 1]);
}

bool is_for_attention_kernel(const AttentionCall& call, int compute_capability) {
  if (is_attention_in_f32(call)) {
    // Rows and keys are counted in 32 bits; places are not.
    constexpr std::int64_t kMost = std::numeric_limits<std::int32_t>::max() / 2;
    for (const TensorDesc* t : {&call.q, &call.k})
      if (std::ranges::any_of(t->shape, [](auto e) { return e < 0 || e > kMost; })) return false;
    return compute_capability >= 75;
  }
  const std::size_t rank = call.q.shape.size();
  const std::int64_t keys = call.k.shape[rank - 2];
  if (rank > 4 || keys < 1 || keys > kMostKeys) return false;
  for (const TensorDesc* t : {&call.q, &call.k, &call.v, &call.mask, &call.y})
    if (std::ranges::any_of(t->shape, [](auto e) { return e < 1; }) ||
        std::ranges::any_of(t->strides, [](auto s) { return s < 0; }))
      return false;
  if (compute_capability < (call.q.dtype == DType::bf16 ? 80 : 75)) return false;
  // Places in one head are counted in 32 bits.
  constexpr std::int64_t kMostElements = std::int64_t{1} << 30;
  for (const TensorDesc* t : {&call.q, &call.k, &call.v, &call.y}) {
    if (t->strides[rank - 1] != 1 && t->shape[rank - 1] != 1) return false;
    if (t->strides[rank - 2] >= kMostElements / t->shape[rank - 2]) return false;
  }
  return true;
}

namespace {

/// A warp has 16 keys at least.
int most_split(const AttentionCall& call) {
  return call.q.shape.back() <= 64 && call.v.shape.back() <= 64 ? kMostSplit : 2;
}

}  // namespace

int attention_split(const AttentionCall& call, int multiprocessors) {
  const TensorDesc y = of_rank_4(call.y);
  const int most = most_split(call);
  int split = 1;
  const auto blocks = [&] {
    const std::int64_t rows = kWarps / split * kRowsOfAWarp;
    return y.shape[0] * y.shape[1] * ((y.shape[2] + rows - 1) / rows);
  };
  while (split < most && blocks() < multiprocessors) split *= 2;
  return split;
}

std::string attention_source(const AttentionCall& call, int split) {
  return fmt::format("#define DEPTH {}\n#define WIDTH {}\n#define BF16 {}\n#define MASK {}\n#define SPLIT {}\n{}{}",
                     call.q.shape.back(), call.v.shape.back(), call.q.dtype == DType::bf16 ? 1 : 0,
                     call.has_mask() ? 1 : 0, split, kFetch, call.q.dtype == DType::f32 ? kSourceF32 : kSource);
}

Expected<std::shared_ptr<const KernelPrimitive>> plan_attention_kernel(OwnKernels& kernels, int device,
                                                                       int multiprocessors, const AttentionCall& call,
                                                                       const PlanOptions& options) {
  const int split = attention_split(call, multiprocessors);
  if (options.haste == Haste::at_once) {
    const auto ready = [&](int s) { return kernels.loaded(device, attention_source(call, s)); };
    if (const KernelHandle kernel = ready(split))
      return std::make_shared<const AttentionKernel>(kernels, device, kernel, call, split, false);
    for (int other = 1; other <= most_split(call); other *= 2)
      if (const KernelHandle kernel = ready(other))
        return std::make_shared<const AttentionKernel>(kernels, device, kernel, call, other, true);
  }
  const auto made_for = [&](int s) {
    return kernels.get(device, "attention", attention_source(call, s), *options.services);
  };
  auto kernel = made_for(split);
  int used = split;
  // Each is right for every shape, and in f32 nobody stands in: without a compiler any that the cache has will do.
  for (int other = 1; !kernel && call.q.dtype == DType::f32 && other <= most_split(call); other *= 2) {
    if (other == split) continue;
    if (auto found = made_for(other)) {
      kernel = std::move(found);
      used = other;
    }
  }
  if (!kernel) return tl::unexpected(kernel.error());
  return std::make_shared<const AttentionKernel>(kernels, device, *kernel, call, used, false);
}

}  // namespace jitney::backend::cuda
