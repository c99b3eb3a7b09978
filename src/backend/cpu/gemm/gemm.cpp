// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "backend/cpu/gemm/gemm.h"

#include <algorithm>

#include "backend/cpu/parallel_for.h"

namespace jitney::backend::gemm {
namespace {

// Rows of a that are multiplied by one panel after the other: they should stay in L2 beside a panel.
constexpr std::int64_t kRowBytes = 512 << 10;
// Of a panel that is multiplied at once: with the next one, which is on its way, it should stay in L2 beside the rows.
constexpr std::int64_t kMaxDepth = 1024;
// Weights of this size are not expected to stay in a shared L3 cache from one execute to the next.
constexpr std::int64_t kFarBytes = 8 << 20;
// Floats of a cache line.
constexpr std::int64_t kLine = 16;

std::int64_t ceil_div(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }

/// How the loops go through a product.
struct Blocking {
  std::int64_t parts;  ///< of k; each is at most depth long
  std::int64_t depth;
  std::int64_t rows;          ///< multiplied by one panel after the other
  std::int64_t stride;        ///< of a's rows where they are copied to; 0: they stay where they are
  std::int64_t across, down;  ///< panels and blocks of rows in all
  bool by_columns;            ///< whether threads divide the panels, else the rows
  bool fetches;               ///< whether the next panel is fetched beforehand
};

Blocking blocking_of(const Kernels& kernels, const Shape& s, std::int64_t a_stride, int threads) {
  Blocking b{};
  b.parts = std::max<std::int64_t>(ceil_div(s.k, kMaxDepth), 1);
  b.depth = ceil_div(s.k, b.parts);
  b.across = panels(kernels, s.n);
  b.down = ceil_div(s.m, kernels.rows);
  const std::int64_t fit = kRowBytes / static_cast<std::int64_t>(sizeof(float)) / std::max<std::int64_t>(b.depth, 1);
  b.rows = std::min(std::max<std::int64_t>(fit / kernels.rows, 4), b.down) * kernels.rows;
  // By columns each weight is read by one thread only; by rows each row is. Whichever divides more evenly.
  auto waste = [&](std::int64_t parts) {
    return static_cast<double>(ceil_div(parts, threads) * threads) / static_cast<double>(parts);
  };
  b.by_columns = waste(b.across) <= waste(b.down) * 1.02;
  // Rows that lie a multiple of 2 KB apart begin in one or two sets of an L1 cache and drive each other out.
  const bool collide = a_stride % 512 == 0;
  if (collide && s.m >= 6 && b.across >= 4) b.stride = ceil_div(b.depth, kLine) * kLine + kLine;
  b.fetches = b.across * s.k * kernels.panel * static_cast<std::int64_t>(sizeof(float)) >= kFarBytes;
  return b;
}

struct Work {
  const Kernels& kernels;
  const Shape& s;
  const Epilogue& e;
  const float* a;
  std::int64_t a_stride;
  const float* packed;
  float* c;
  std::int64_t c_stride;
  Blocking by;
  float* scratch;
  int threads;
};

/// What the part [begin, end) of the sum over k adds to: the first part to bias and addend, each other to what is
/// there.
Epilogue epilogue_of(const Work& w, std::int64_t begin, std::int64_t end, std::int64_t column, float* c) {
  Epilogue e;
  if (begin == 0 && w.e.bias) e.bias = w.e.bias + column;
  if (begin > 0) e.addend = c;
  if (begin == 0 && w.e.addend) e.addend = w.e.addend + (c - w.c);
  if (end == w.s.k) e.low = w.e.low, e.high = w.e.high;
  return e;
}

struct Rows {
  const float* at;
  std::int64_t stride;
};

/// Columns [begin, end) of some rows of a, in `copy` when they are to be copied.
Rows rows_of(const Work& w, std::int64_t row, std::int64_t count, std::int64_t begin, std::int64_t end, float* copy) {
  const float* from = w.a + row * w.a_stride + begin;
  if (w.by.stride == 0) return {from, w.a_stride};
  for (std::int64_t r = 0; r < count; ++r) std::copy_n(from + r * w.a_stride, end - begin, copy + r * w.by.stride);
  return {copy, w.by.stride};
}

void multiply(const Work& w, std::int64_t row_begin, std::int64_t row_end, std::int64_t panel_begin,
              std::int64_t panel_end, float* copy) {
  const std::int64_t width = w.kernels.panel, panel_size = w.s.k * width;
  for (std::int64_t row = row_begin; row < row_end; row += w.by.rows) {
    const std::int64_t count = std::min(w.by.rows, row_end - row);
    for (std::int64_t part = 0; part < w.by.parts; ++part) {
      const std::int64_t begin = part * w.s.k / w.by.parts, end = (part + 1) * w.s.k / w.by.parts;
      const Rows rows = rows_of(w, row, count, begin, end, copy);
      for (std::int64_t p = panel_begin; p < panel_end; ++p) {
        const std::int64_t column = p * width;
        const float* panel = w.packed + p * panel_size + begin * width;
        float* c = w.c + row * w.c_stride + column;
        const Epilogue e = epilogue_of(w, begin, end, column, c);
        w.kernels.multiply({.rows = count,
                            .k = end - begin,
                            .a = rows.at,
                            .a_stride = rows.stride,
                            .panel = panel,
                            .c = c,
                            .c_stride = w.c_stride,
                            .width = static_cast<int>(std::min(width, w.s.n - column)),
                            .epilogue = &e,
                            .next = w.by.fetches && p + 1 < panel_end ? panel + panel_size : nullptr});
      }
    }
  }
}

/// [begin, end) are places: each has a part of the scratch and does its share of the panels or of the blocks of rows.
void run_places(void* context, std::int64_t begin, std::int64_t end) {
  const Work& w = *static_cast<const Work*>(context);
  for (std::int64_t place = begin; place < end; ++place) {
    float* copy = w.scratch + place * w.by.rows * w.by.stride;
    auto share = [&](std::int64_t total, std::int64_t i) { return total * i / w.threads; };
    if (w.by.by_columns)
      multiply(w, 0, w.s.m, share(w.by.across, place), share(w.by.across, place + 1), copy);
    else
      multiply(w, share(w.by.down, place) * w.kernels.rows,
               std::min(share(w.by.down, place + 1) * w.kernels.rows, w.s.m), 0, w.by.across, copy);
  }
}

}  // namespace

const Kernels* kernels(int vector_bytes) {
#if defined(__x86_64__)
  if (vector_bytes >= 64 && __builtin_cpu_supports("avx512f")) return &avx512_kernels();
  if (vector_bytes >= 32 && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return &avx2_kernels();
#else
  (void)vector_bytes;
#endif
  return nullptr;
}

std::size_t packed_size(const Kernels& k, std::int64_t depth, std::int64_t n) {
  return static_cast<std::size_t>(panels(k, n) * depth * k.panel);
}

void pack(const Kernels& kernels, std::int64_t k, std::int64_t n, const float* b, std::int64_t row_stride,
          std::int64_t column_stride, float* packed, int threads) {
  struct Packing {
    std::int64_t panel, k, n;
    const float* b;
    std::int64_t row_stride, column_stride;
    float* packed;
  } packing{kernels.panel, k, n, b, row_stride, column_stride, packed};
  parallel_for(
      threads, 0, panels(kernels, n), 1,
      [](void* context, std::int64_t begin, std::int64_t end) {
        const auto& p = *static_cast<const Packing*>(context);
        // In squares, so that columns that lie far apart are read a cache line at a time.
        constexpr std::int64_t kSquare = 16;
        for (std::int64_t panel = begin; panel < end; ++panel)
          for (std::int64_t i0 = 0; i0 < p.k; i0 += kSquare)
            for (std::int64_t j0 = 0; j0 < p.panel; j0 += kSquare)
              for (std::int64_t i = i0; i < std::min(i0 + kSquare, p.k); ++i)
                for (std::int64_t j = j0; j < std::min(j0 + kSquare, p.panel); ++j) {
                  const std::int64_t column = panel * p.panel + j;
                  p.packed[(panel * p.k + i) * p.panel + j] =
                      column < p.n ? p.b[i * p.row_stride + column * p.column_stride] : 0;
                }
      },
      &packing);
}

std::size_t scratch_size(const Kernels& kernels, const Shape& s, std::int64_t a_stride, int threads) {
  const Blocking by = blocking_of(kernels, s, a_stride, threads);
  return static_cast<std::size_t>(by.rows * by.stride * threads);
}

void run(const Kernels& kernels, const Shape& s, const Epilogue& e, const float* a, std::int64_t a_stride,
         const float* packed, float* c, std::int64_t c_stride, float* scratch, int threads) {
  Work w{kernels, s, e, a, a_stride, packed, c, c_stride, blocking_of(kernels, s, a_stride, threads), scratch, threads};
  parallel_for(threads, 0, threads, 1, run_places, &w);
}

}  // namespace jitney::backend::gemm
