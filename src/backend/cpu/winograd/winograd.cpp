// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "backend/cpu/winograd/winograd.h"

#if defined(__x86_64__)
#include <cpuid.h>
#endif

#include <algorithm>

#include "backend/cpu/parallel_for.h"

namespace jitney::backend::winograd {
namespace {

// What one thread's part of v and m may take: they are written and read at once, and should not leave its L2 cache.
constexpr std::size_t kBlockBytes = 512 << 10;

/// Tiles that are transformed, multiplied and transformed back together.
std::int64_t block_tiles(const Kernels& k, const Shape& s) {
  const auto tile_bytes = static_cast<std::int64_t>(kPoints * sizeof(float)) * (s.c + s.o);
  const auto fit = static_cast<std::int64_t>(kBlockBytes) / tile_bytes;
  return std::max<std::int64_t>(fit / k.product.rows * k.product.rows, k.product.rows);
}

/// Few tiles are worked on in stages, every thread at all tiles; many in blocks, every thread at its own.
bool in_stages(const Kernels& k, const Shape& s, int threads) { return s.tiles() < 2 * block_tiles(k, s) * threads; }

struct Work {
  const Kernels& k;
  const Shape& s;
  const gemm::Epilogue& e;
  const Images& images;
  const Transforms& transforms;
  const float* u;
  float *v, *m;
  std::int64_t block, blocks;
};

void multiply_point(const Work& w, std::int64_t point, std::int64_t count, const float* v, float* m) {
  const std::int64_t across = gemm::panels(w.k.product, w.s.o);
  for (std::int64_t p = 0; p < across; ++p) {
    const auto width = static_cast<int>(std::min<std::int64_t>(w.k.product.panel, w.s.o - p * w.k.product.panel));
    w.k.product.multiply({.rows = count,
                          .k = w.s.c,
                          .a = v + point * count * w.s.c,
                          .a_stride = w.s.c,
                          .panel = w.u + (point * across + p) * w.s.c * w.k.product.panel,
                          .c = m + point * count * w.s.o + p * w.k.product.panel,
                          .c_stride = w.s.o,
                          .width = width});
  }
}

void run_blocks(void* context, std::int64_t begin, std::int64_t end) {
  const Work& w = *static_cast<const Work*>(context);
  // [begin, end) are places in the scratch; each does its share of the blocks.
  for (std::int64_t place = begin; place < end; ++place) {
    float* v = w.v + place * kPoints * w.block * (w.s.c + w.s.o);
    float* m = v + kPoints * w.block * w.s.c;
    const std::int64_t total = (w.s.tiles() + w.block - 1) / w.block;
    for (std::int64_t b = place * total / w.blocks; b < (place + 1) * total / w.blocks; ++b) {
      const std::int64_t first = b * w.block, count = std::min(w.block, w.s.tiles() - first);
      w.transforms.input(w.s, first, count, count, w.images, v);
      for (std::int64_t point = 0; point < kPoints; ++point) multiply_point(w, point, count, v, m);
      w.transforms.output(w.s, first, count, count, m, w.e, w.images);
    }
  }
}

}  // namespace

const Kernels* kernels(int vector_bytes) {
#if defined(__x86_64__)
  const gemm::Kernels* product = gemm::kernels(vector_bytes);
  if (product == nullptr) return nullptr;
  return product == &gemm::avx512_kernels() ? &avx512_kernels() : &avx2_kernels();
#else
  (void)vector_bytes;
  return nullptr;
#endif
}

bool can_do(const Kernels& k, const Shape& s) { return s.c % k.lanes == 0 && s.o % k.lanes == 0 && s.tiles() > 0; }

namespace {

/// AMX, by CPUID leaf 7: g++ 12 has no name for it in __builtin_cpu_supports.
bool has_matrix_registers() {
#if defined(__x86_64__)
  static const bool has = [] {
    unsigned a = 0, b = 0, c = 0, d = 0;
    constexpr unsigned kAmxBf16 = 1u << 22;
    return __get_cpuid_count(7, 0, &a, &b, &c, &d) != 0 && (d & kAmxBf16) != 0;
  }();
  return has;
#else
  return false;
#endif
}

}  // namespace

bool is_faster(const Kernels& k, const Shape& s, Storage storage) {
  if (!can_do(k, s) || s.c < 32 || s.o < 32) return false;
  // A direct one does two multiplications of bf16 in the time of one of f32, and sixteen with matrix registers.
  const bool is_low = storage == Storage::bf16;
  if (is_low && has_matrix_registers()) return false;
  // Multiplications, and memory traffic counted in the multiplications that fit into its time: transformed weights are
  // four times as large and read once, from far; tiles are written and read twice, nearby. Fitted to measurements on
  // two Zen 4 cores.
  const auto c = static_cast<double>(s.c), o = static_cast<double>(s.o), tiles = static_cast<double>(s.tiles());
  const double direct = static_cast<double>(s.n * s.oh * s.ow) * 9 * c * o;
  const double here = kPoints * tiles * c * o + kPoints * c * o * 10 + kPoints * tiles * (c + o) * 16;
  return here < (is_low ? direct / 2 : direct);
}

std::size_t packed_size(const Kernels& k, std::int64_t c, std::int64_t o) {
  return kPoints * gemm::packed_size(k.product, c, o);
}

namespace {

struct Packing {
  const Kernels& k;
  std::int64_t c, o;
  const float* w;
  const std::int64_t* strides;
  float* packed;
};

// G of U = G g G^T, in double: the sixths and twenty-fourths are no binary fractions.
constexpr double kG[kWindow][3] = {{0.25, 0, 0},
                                   {-1.0 / 6, -1.0 / 6, -1.0 / 6},
                                   {-1.0 / 6, 1.0 / 6, -1.0 / 6},
                                   {1.0 / 24, 1.0 / 12, 1.0 / 6},
                                   {1.0 / 24, -1.0 / 12, 1.0 / 6},
                                   {0, 0, 1}};

/// Some channels side by side, so that everything below is arithmetic on rows.
constexpr int kRow = 8;
using Row = double[kRow];

void pack_row(const Packing& p, std::int64_t oc, std::int64_t count, std::int64_t ic) {
  const std::int64_t across = gemm::panels(p.k.product, p.o);
  Row g[3][3], half[kWindow][3];
  for (int i = 0; i < 3; ++i)
    for (int j = 0; j < 3; ++j)
      for (std::int64_t r = 0; r < kRow; ++r)
        g[i][j][r] = r < count
                         ? static_cast<double>(
                               p.w[(oc + r) * p.strides[0] + ic * p.strides[1] + i * p.strides[2] + j * p.strides[3]])
                         : 0;
  for (int i = 0; i < kWindow; ++i)
    for (int j = 0; j < 3; ++j)
      for (int r = 0; r < kRow; ++r)
        half[i][j][r] = kG[i][0] * g[0][j][r] + kG[i][1] * g[1][j][r] + kG[i][2] * g[2][j][r];
  float* to = p.packed + (oc / p.k.product.panel * p.c + ic) * p.k.product.panel + oc % p.k.product.panel;
  for (int i = 0; i < kWindow; ++i)
    for (int j = 0; j < kWindow; ++j) {
      float* at = to + (i * kWindow + j) * across * p.c * p.k.product.panel;
      for (int r = 0; r < kRow; ++r)
        at[r] = static_cast<float>(half[i][0][r] * kG[j][0] + half[i][1][r] * kG[j][1] + half[i][2][r] * kG[j][2]);
    }
}

}  // namespace

void pack(const Kernels& k, std::int64_t c, std::int64_t o, const float* w, const std::int64_t strides[4],
          float* packed, int threads) {
  const Packing packing{k, c, o, w, strides, packed};
  const std::int64_t rows = gemm::panels(k.product, o) * k.product.panel / kRow;
  parallel_for(
      threads, 0, rows, 1,
      [](void* context, std::int64_t begin, std::int64_t end) {
        const Packing& p = *static_cast<const Packing*>(context);
        for (std::int64_t row = begin; row < end; ++row)
          for (std::int64_t ic = 0; ic < p.c; ++ic)
            pack_row(p, row * kRow, std::clamp<std::int64_t>(p.o - row * kRow, 0, kRow), ic);
      },
      const_cast<Packing*>(&packing));
}

std::size_t scratch_size(const Kernels& k, const Shape& s, int threads) {
  const std::int64_t tiles = in_stages(k, s, threads) ? s.tiles() : block_tiles(k, s) * threads;
  return static_cast<std::size_t>(kPoints * tiles * (s.c + s.o));
}

void run(const Kernels& k, const Shape& s, const gemm::Epilogue& e, const Images& images, const float* packed,
         float* scratch, int threads) {
  Work w{k, s, e, images, k.transforms(images.storage), packed, scratch, nullptr, block_tiles(k, s), threads};
  if (!in_stages(k, s, threads)) {
    parallel_for(threads, 0, threads, 1, run_blocks, &w);
    return;
  }
  w.block = s.tiles();
  w.m = w.v + kPoints * s.tiles() * s.c;
  parallel_for(
      threads, 0, s.tiles(), 1,
      [](void* context, std::int64_t begin, std::int64_t end) {
        const Work& w = *static_cast<const Work*>(context);
        w.transforms.input(w.s, begin, end - begin, w.s.tiles(), w.images, w.v + begin * w.s.c);
      },
      &w);
  parallel_for(
      threads, 0, kPoints, 1,
      [](void* context, std::int64_t begin, std::int64_t end) {
        const Work& w = *static_cast<const Work*>(context);
        for (std::int64_t point = begin; point < end; ++point) multiply_point(w, point, w.s.tiles(), w.v, w.m);
      },
      &w);
  parallel_for(
      threads, 0, s.tiles(), 1,
      [](void* context, std::int64_t begin, std::int64_t end) {
        const Work& w = *static_cast<const Work*>(context);
        w.transforms.output(w.s, begin, end - begin, w.s.tiles(), w.m + begin * w.s.o, w.e, w.images);
      },
      &w);
}

}  // namespace jitney::backend::winograd
