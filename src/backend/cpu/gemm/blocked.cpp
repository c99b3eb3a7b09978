// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "backend/cpu/gemm/blocked.h"

#include <algorithm>

namespace jitney::backend::gemm {
namespace {

// Rows of a that are multiplied by one panel after the other: they should stay in L2 beside a panel.
constexpr std::int64_t kRowBytes = 512 << 10;
// Of a panel that is multiplied at once: with the next one, which is on its way, it should stay in L2 beside the rows.
constexpr std::int64_t kMaxDepth = 1024;
// Weights of this size are not expected to stay in a shared L3 cache from one execute to the next.
constexpr std::int64_t kFarBytes = 8 << 20;
// Nor those of this size in an L2 cache, of which another layer's share goes by meanwhile. With fewer rows than these
// fetches cost what they bring.
constexpr std::int64_t kNearBytes = 384 << 10, kManyRows = 48;
// Floats of a cache line.
constexpr std::int64_t kLine = 16;

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

}  // namespace

Blocking blocking_of(const Kernels& kernels, const Shape& s, std::int64_t a_stride, int threads) {
  Blocking b{};
  b.parts = std::max<std::int64_t>(ceil_div(s.k, kMaxDepth), 1);
  b.depth = ceil_div(s.k, b.parts);
  b.across = panels(kernels, s.n);
  b.down = ceil_div(s.m, kernels.rows);
  const std::int64_t fit = kRowBytes / static_cast<std::int64_t>(sizeof(float)) / std::max<std::int64_t>(b.depth, 1);
  b.rows = std::min(std::max<std::int64_t>(fit / kernels.rows, 4), b.down) * kernels.rows;
  // By columns each weight is read by one thread only; by rows each row is. Whichever divides more evenly.
  b.by_columns = waste(b.across, threads) <= waste(b.down, threads) * 1.02;
  // Rows that lie a multiple of 2 KB apart begin in one or two sets of an L1 cache and drive each other out.
  const bool collide = a_stride % 512 == 0;
  if (collide && s.m >= 6 && b.across >= 4) b.stride = ceil_div(b.depth, kLine) * kLine + kLine;
  const std::int64_t bytes = b.across * s.k * kernels.panel * static_cast<std::int64_t>(sizeof(float));
  b.fetches = bytes >= kFarBytes || (bytes >= kNearBytes && s.m >= kManyRows);
  return b;
}

Epilogue epilogue_of(const Work& w, std::int64_t begin, std::int64_t end, std::int64_t column, float* c) {
  Epilogue e;
  if (begin == 0 && w.e.bias) e.bias = w.e.bias + column;
  if (begin > 0) e.addend = c;
  if (begin == 0 && w.e.addend) e.addend = w.e.addend + (c - w.c);
  if (end == w.s.k) e.low = w.e.low, e.high = w.e.high, e.activation = w.e.activation;
  return e;
}

void multiply(const Work& w, Range rows, Range panels, Range k, float* copy) {
  const std::int64_t width = w.kernels.panel, panel_size = w.s.k * width;
  const std::int64_t parts = std::max<std::int64_t>(ceil_div(k.size(), kMaxDepth), 1);
  for (std::int64_t row = rows.begin; row < rows.end; row += w.by.rows) {
    const std::int64_t count = std::min(w.by.rows, rows.end - row);
    for (std::int64_t part = 0; part < parts; ++part) {
      const std::int64_t begin = k.begin + part * k.size() / parts, end = k.begin + (part + 1) * k.size() / parts;
      const Rows from = rows_of(w, row, count, begin, end, copy);
      for (std::int64_t p = panels.begin; p < panels.end; ++p) {
        const std::int64_t column = p * width;
        const float* panel = w.packed + p * panel_size + begin * width;
        float* c = w.c + row * w.c_stride + column;
        const Epilogue e = epilogue_of(w, begin, end, column, c);
        w.kernels.multiply({.rows = count,
                            .k = end - begin,
                            .a = from.at,
                            .a_stride = from.stride,
                            .panel = panel,
                            .c = c,
                            .c_stride = w.c_stride,
                            .width = static_cast<int>(std::min(width, w.s.n - column)),
                            .epilogue = &e,
                            .next = w.by.fetches && p + 1 < panels.end ? panel + panel_size : nullptr});
      }
    }
  }
}

}  // namespace jitney::backend::gemm
