// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

#include "backend/cpu/gemm/gemm.h"

/// 3x3 convolutions of stride 1, computed in f32, by Winograd's minimal filtering F(4x4, 3x3): 36 multiplications for
/// 16 results instead of 144 (Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks", 2015). oneDNN 3 has
/// no such implementation for these processors. Results differ from a direct convolution by rounding: some 1e-5 of the
/// largest result, measured in tests/backend/cpu.
namespace jitney::backend::winograd {

inline constexpr int kTile = 4;    ///< outputs a tile has along each axis
inline constexpr int kWindow = 6;  ///< inputs a tile reads along each axis
inline constexpr int kPoints = kWindow * kWindow;

/// What a convolution reads and writes is f32, or bf16 that becomes f32 on the way: where nothing but AVX512-BF16 is
/// faster at bf16 than at f32, fewer multiplications in f32 win.
enum class Storage : std::uint8_t { f32, bf16 };

/// Images of one storage, channels-last and contiguous. addend: like y, may be y itself, or null.
struct Images {
  Storage storage;
  const void* x;
  const void* addend;
  void* y;
};

/// One convolution: x [n, h, w, c], y [n, oh, ow, o].
struct Shape {
  std::int64_t n = 0, h = 0, w = 0, c = 0, o = 0, oh = 0, ow = 0, pad_top = 0, pad_left = 0;

  std::int64_t tile_rows() const { return (oh + kTile - 1) / kTile; }
  std::int64_t tile_columns() const { return (ow + kTile - 1) / kTile; }
  std::int64_t tiles() const { return n * tile_rows() * tile_columns(); }
};

/// Into and out of the 36 products.
struct Transforms {
  /// Tiles [first, first + count) into v [kPoints][capacity][c], of which `count` are written.
  void (*input)(const Shape& shape, std::int64_t first, std::int64_t count, std::int64_t capacity, const Images& images,
                float* v);
  /// m [kPoints][capacity][o] into y. The epilogue's own addend is not used.
  void (*output)(const Shape& shape, std::int64_t first, std::int64_t count, std::int64_t capacity, const float* m,
                 const gemm::Epilogue& epilogue, const Images& images);
};

/// The parts that depend on the instruction set.
struct Kernels {
  int lanes;                     ///< floats in a register; c and o must be multiples of it
  const gemm::Kernels& product;  ///< of the 36 products
  Transforms f32, bf16;          ///< by storage

  const Transforms& transforms(Storage storage) const { return storage == Storage::f32 ? f32 : bf16; }
};

const Kernels& avx512_kernels();
const Kernels& avx2_kernels();
/// For this processor, or null when it has neither AVX-512 nor AVX2 with FMA.
const Kernels* kernels(int vector_bytes);

/// Whether it can do such a convolution at all, and whether it is expected to be faster than a direct one.
bool can_do(const Kernels& k, const Shape& shape);
bool is_faster(const Kernels& k, const Shape& shape, Storage storage);

/// Floats of transformed weights, laid out [kPoints][panels][c][panel], the last panel filled up with zeros.
std::size_t packed_size(const Kernels& k, std::int64_t c, std::int64_t o);
/// w: element [o, c, i, j] at w[o * strides[0] + c * strides[1] + i * strides[2] + j * strides[3]].
void pack(const Kernels& k, std::int64_t c, std::int64_t o, const float* w, const std::int64_t strides[4],
          float* packed, int threads);

/// Floats of scratch that run() needs.
std::size_t scratch_size(const Kernels& k, const Shape& shape, int threads);
void run(const Kernels& k, const Shape& shape, const gemm::Epilogue& epilogue, const Images& images,
         const float* packed, float* scratch, int threads);

}  // namespace jitney::backend::winograd
