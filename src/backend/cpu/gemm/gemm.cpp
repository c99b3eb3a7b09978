// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "backend/cpu/gemm/gemm.h"

#include <algorithm>

#include "backend/cpu/denormals.h"
#include "backend/cpu/parallel_for.h"

namespace jitney::backend::gemm {
namespace {

// Rows of a that are multiplied by one panel after the other: they should stay in L2 beside a panel.
constexpr std::int64_t kRowBytes = 256 << 10;

struct Work {
  const Kernels& kernels;
  const Shape& s;
  const Epilogue& e;
  const float* a;
  std::int64_t a_stride;
  const float* packed;
  float* c;
  std::int64_t c_stride;
};

void multiply(const Work& w, std::int64_t row_begin, std::int64_t row_end, std::int64_t panel_begin,
              std::int64_t panel_end) {
  const std::int64_t width = w.kernels.panel, panel_size = w.s.k * width;
  const std::int64_t fit = kRowBytes / static_cast<std::int64_t>(sizeof(float)) / std::max<std::int64_t>(w.s.k, 1);
  const std::int64_t chunk = std::max<std::int64_t>(fit / w.kernels.rows, 4) * w.kernels.rows;
  for (std::int64_t row = row_begin; row < row_end; row += chunk) {
    const std::int64_t rows = std::min(chunk, row_end - row);
    for (std::int64_t p = panel_begin; p < panel_end; ++p) {
      const std::int64_t column = p * width, at = row * w.c_stride + column;
      const Epilogue e{w.e.bias ? w.e.bias + column : nullptr, w.e.addend ? w.e.addend + at : nullptr, w.e.low,
                       w.e.high};
      w.kernels.multiply({.rows = rows,
                          .k = w.s.k,
                          .a = w.a + row * w.a_stride,
                          .a_stride = w.a_stride,
                          .panel = w.packed + p * panel_size,
                          .c = w.c + at,
                          .c_stride = w.c_stride,
                          .width = static_cast<int>(std::min(width, w.s.n - column)),
                          .epilogue = &e});
    }
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

void run(const Kernels& kernels, const Shape& s, const Epilogue& e, const float* a, std::int64_t a_stride,
         const float* packed, float* c, std::int64_t c_stride, int threads) {
  Work w{kernels, s, e, a, a_stride, packed, c, c_stride};
  const std::int64_t across = panels(kernels, s.n), down = (s.m + kernels.rows - 1) / kernels.rows;
  // By columns each weight is read by one thread only; by rows each row is. Whichever divides more evenly.
  auto waste = [&](std::int64_t parts) {
    const auto each = (parts + threads - 1) / threads;
    return static_cast<double>(each * threads) / static_cast<double>(parts);
  };
  if (waste(across) <= waste(down) * 1.02) {
    parallel_for(
        threads, 0, across, 1,
        [](void* context, std::int64_t begin, std::int64_t end) {
          const FlushDenormals flush;
          const Work& w = *static_cast<const Work*>(context);
          multiply(w, 0, w.s.m, begin, end);
        },
        &w);
    return;
  }
  parallel_for(
      threads, 0, down, 1,
      [](void* context, std::int64_t begin, std::int64_t end) {
        const FlushDenormals flush;
        const Work& w = *static_cast<const Work*>(context);
        multiply(w, begin * w.kernels.rows, std::min(end * w.kernels.rows, w.s.m), 0, panels(w.kernels, w.s.n));
      },
      &w);
}

}  // namespace jitney::backend::gemm
