// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "backend/cpu/gemm/gemm.h"

/// Attention in one go: y = softmax(scale * q k^T + mask) v, by blocks of rows, so that the scores never leave the L2
/// cache; keys come in blocks, too, with a running maximum and sum (Milakov and Gimelshein, "Online normalizer
/// calculation for softmax", 2018; Dao et al., "FlashAttention", 2022). Computed in f32. Nothing is allocated; results
/// do not depend on the number of threads. A row whose scores are all -inf gives NaN, as a softmax does.
namespace jitney::backend::attention {

enum class Storage : std::uint8_t { f32, bf16 };

inline constexpr int kMaxOuter = 4;  ///< axes before the matrices: batch, heads, ...

/// One matrix for each point of the outer axes; strides in elements, 0 is a broadcast.
struct Matrices {
  std::int64_t outer[kMaxOuter] = {}, row = 0, column = 0;
};

struct Shape {
  std::int64_t outer[kMaxOuter] = {1, 1, 1, 1};
  std::int64_t m = 0, n = 0, d = 0, e = 0;  ///< queries, keys, their length, the values' length
  float scale = 1;
  Storage storage = Storage::f32;  ///< of q, k, v and y
  bool has_mask = false;
  Storage mask_storage = Storage::f32;
  Matrices q, k, v, mask, y;  ///< [m, d], [n, d], [n, e], [m, n], [m, e]; q, v and y have columns of stride 1

  std::int64_t heads() const { return outer[0] * outer[1] * outer[2] * outer[3]; }
};

struct Operands {
  const void *q, *k, *v, *mask;
  void* y;
};

/// Some rows of scores, with the state of a softmax that sees its columns block by block.
struct Scores {
  float* at;
  std::int64_t stride, rows, columns;  ///< columns: those that count; rounded up to whole registers they are writable
  float *maximum, *sum, *correction;   ///< one a row; correction: what earlier results are to be multiplied by
};

/// The parts that depend on the instruction set.
struct Kernels {
  int lanes;
  const gemm::Kernels& product;
  /// k [n][d] with any strides as panels of k^T: [n / panel][d][panel], filled up with zeros.
  void (*pack_keys)(const Shape& shape, const void* k, std::int64_t n, float* packed);
  /// v [n][e] as panels [e / panel][n][panel], filled up with zeros.
  void (*pack_values)(const Shape& shape, const void* v, std::int64_t n, float* packed);
  /// [rows][d] times scale.
  void (*load_queries)(const Shape& shape, const void* q, std::int64_t rows, float* to);
  /// mask: of the first row and column of the scores, or null.
  void (*softmax)(const Shape& shape, const Scores& scores, const void* mask);
  /// x[i] *= by, for a row of results.
  void (*multiply)(float* x, std::int64_t count, float by);
  /// A row of results times `by` into y.
  void (*finish)(const Shape& shape, const float* x, float by, void* y);
  /// One row of queries against keys and values where they lie: scores[j] = q . k[j].
  void (*dot_keys)(const Shape& shape, const float* q, const void* k, std::int64_t n, float* scores);
  /// to[i] += sum over j of weights[j] * v[j][i]
  void (*add_values)(const Shape& shape, const float* weights, const void* v, std::int64_t n, float* to);
};

const Kernels& avx512_kernels();
const Kernels& avx2_kernels();
/// For this processor and registers of at most so many bytes; null when it has neither AVX-512 nor AVX2 with FMA.
const Kernels* kernels(int vector_bytes);

/// Floats of scratch that run() needs.
std::size_t scratch_size(const Kernels& k, const Shape& shape, int threads);
void run(const Kernels& k, const Shape& shape, const Operands& operands, float* scratch, int threads);

}  // namespace jitney::backend::attention
