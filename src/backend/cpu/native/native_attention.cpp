// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "backend/cpu/native/native_attention.h"

#include <algorithm>

#include "backend/cpu/attention/attention.h"

namespace jitney::backend::native {
namespace {

using attention::Matrices;
using attention::Storage;

bool is_storage(DType t) { return t == DType::f32 || t == DType::bf16; }
Storage storage_of(DType t) { return t == DType::f32 ? Storage::f32 : Storage::bf16; }

bool known_or(std::int64_t value, bool fits) { return value < 0 || fits; }

/// Whether the extents say what they must, as far as they are known.
bool agrees(const AttentionCall& c) {
  const std::size_t rank = c.q.shape.size();
  for (const auto* t : {&c.k, &c.v, &c.y})
    if (t->shape.size() != rank) return false;
  auto same = [](std::int64_t a, std::int64_t b) { return a < 0 || b < 0 || a == b; };
  for (std::size_t i = 0; i + 2 < rank; ++i) {
    if (!same(c.q.shape[i], c.y.shape[i])) return false;
    for (const auto* t : {&c.k, &c.v})
      if (t->shape[i] != 1 && !same(t->shape[i], c.y.shape[i])) return false;
  }
  if (c.has_mask()) {
    if (c.mask.shape.size() != rank) return false;
    for (std::size_t i = 0; i < rank; ++i) {
      const auto wanted = i + 1 < rank ? c.y.shape[i] : c.k.shape[rank - 2];
      if (c.mask.shape[i] != 1 && !same(c.mask.shape[i], wanted)) return false;
    }
  }
  return same(c.q.shape[rank - 2], c.y.shape[rank - 2]) && same(c.q.shape[rank - 1], c.k.shape[rank - 1]) &&
         same(c.k.shape[rank - 2], c.v.shape[rank - 2]) && same(c.v.shape[rank - 1], c.y.shape[rank - 1]);
}

Matrices matrices_of(const TensorDesc& t) {
  const std::size_t rank = t.shape.size(), outer = rank - 2;
  Matrices m;
  auto step = [&](std::size_t i) { return t.shape[i] == 1 ? 0 : t.strides[i]; };
  for (std::size_t i = 0; i < outer; ++i) m.outer[attention::kMaxOuter - outer + i] = step(i);
  m.row = step(rank - 2);
  // A single column may be seen as dense.
  m.column = t.shape[rank - 1] == 1 ? 1 : t.strides[rank - 1];
  return m;
}

class AttentionPrimitive final : public NativePrimitive {
 public:
  AttentionPrimitive(const attention::Kernels& kernels, const attention::Shape& shape, int threads)
      : NativePrimitive({.x = 0, .weights = -1, .y = shape.has_mask ? 4 : 3}, {0, 0}, threads),
        kernels_(kernels),
        shape_(shape) {}
  std::size_t scratch_bytes() const override {
    return attention::scratch_size(kernels_, shape_, threads_) * sizeof(float);
  }
  std::string implementation() const override {
    return fmt::format("attention:online:f32x{}{}", kernels_.lanes, shape_.storage == Storage::bf16 ? " on bf16" : "");
  }
  bool has_weights() const override { return false; }
  std::string layout() const override { return ""; }
  std::size_t packed_floats() const override { return 0; }
  void pack(const void*, float*) const override {}
  void run(std::span<void* const> pointers, const float*, float* scratch) const override {
    attention::run(kernels_, shape_,
                   {pointers[0], pointers[1], pointers[2], shape_.has_mask ? pointers[3] : nullptr, pointers.back()},
                   scratch, threads_);
  }

 private:
  const attention::Kernels& kernels_;
  const attention::Shape shape_;
};

}  // namespace

bool offers(const AttentionCall& c, int vector_bytes) {
  const std::size_t rank = c.q.shape.size();
  if (attention::kernels(vector_bytes) == nullptr || rank < 2 || rank > 2 + attention::kMaxOuter || !agrees(c))
    return false;
  if (!is_storage(c.q.dtype) || (c.has_mask() && !is_storage(c.mask.dtype))) return false;
  for (const auto* t : {&c.k, &c.v, &c.y})
    if (t->dtype != c.q.dtype) return false;
  for (const auto* t : {&c.q, &c.v, &c.y})
    if (t->shape.back() != 1 && !known_or(t->strides.back(), t->strides.back() == 1)) return false;
  return true;
}

std::shared_ptr<const NativePrimitive> make_attention(const AttentionCall& c, int vector_bytes, int threads) {
  if (!offers(c, vector_bytes)) return nullptr;
  for (const auto* t : {&c.q, &c.k, &c.v, &c.y})
    if (std::ranges::any_of(t->shape, [](auto e) { return e <= 0; })) return nullptr;
  const std::size_t rank = c.q.shape.size(), outer = rank - 2;
  attention::Shape s;
  for (std::size_t i = 0; i < outer; ++i) s.outer[attention::kMaxOuter - outer + i] = c.y.shape[i];
  s.m = c.q.shape[rank - 2];
  s.d = c.q.shape[rank - 1];
  s.n = c.k.shape[rank - 2];
  s.e = c.v.shape[rank - 1];
  s.scale = c.scale;
  s.storage = storage_of(c.q.dtype);
  s.q = matrices_of(c.q);
  s.k = matrices_of(c.k);
  s.v = matrices_of(c.v);
  s.y = matrices_of(c.y);
  s.has_mask = c.has_mask();
  if (s.has_mask) {
    s.mask = matrices_of(c.mask);
    s.mask.column = c.mask.shape.back() == 1 ? 0 : c.mask.strides.back();
    s.mask_storage = storage_of(c.mask.dtype);
  }
  return std::make_shared<AttentionPrimitive>(*attention::kernels(vector_bytes), s, threads);
}

}  // namespace jitney::backend::native
