// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "backend/cpu/gemm/gemm.h"

#include <algorithm>
#include <bit>
#include <vector>

#include "backend/cpu/cpu_target.h"
#include "backend/cpu/gemm/blocked.h"
#include "backend/cpu/gemm/strassen.h"
#include "backend/cpu/parallel_for.h"

namespace jitney::backend::gemm {
namespace {

/// What weights say of themselves behind their panels: one cache line, of which the first float is
/// strassen::imbalance.
constexpr std::int64_t kNote = 16;

/// [begin, end) are places: each has a part of the scratch and does its share of the panels or of the blocks of rows.
void run_places(void* context, std::int64_t begin, std::int64_t end) {
  const Work& w = *static_cast<const Work*>(context);
  for (std::int64_t place = begin; place < end; ++place) {
    float* copy = w.scratch + place * w.by.rows * w.by.stride;
    auto share = [&](std::int64_t total, std::int64_t i) { return share_of(total, i, w.threads); };
    if (w.by.by_columns)
      multiply(w, {0, w.s.m}, {share(w.by.across, place), share(w.by.across, place + 1)}, {0, w.s.k}, copy);
    else
      multiply(
          w, {share(w.by.down, place) * w.kernels.rows, std::min(share(w.by.down, place + 1) * w.kernels.rows, w.s.m)},
          {0, w.by.across}, {0, w.s.k}, copy);
  }
}

struct Halved {
  const Work& work;
  strassen::Division division;
};

void run_halved(void* context, std::int64_t begin, std::int64_t end) {
  const auto& [w, division] = *static_cast<const Halved*>(context);
  const std::int64_t copy = w.by.rows * w.by.stride, own = copy + strassen::scratch_size(w.kernels, division);
  for (std::int64_t place = begin; place < end; ++place) {
    float* scratch = w.scratch + place * own;
    strassen::run_place(w, division, place, scratch + copy, scratch);
  }
}

/// The greatest |x| of each column; infinite when one is not finite.
void find_greatest(const float* panel, std::int64_t rows, std::int64_t columns, float* greatest) {
  // As bits: greater numbers are greater integers, and what is not finite is the greatest.
  constexpr std::int64_t kMaxColumns = 32;
  std::int32_t most[kMaxColumns] = {};
  for (std::int64_t i = 0; i < rows; ++i)
    for (std::int64_t j = 0; j < columns; ++j)
      most[j] = std::max(most[j], std::bit_cast<std::int32_t>(panel[i * columns + j]) & 0x7fffffff);
  for (std::int64_t j = 0; j < columns; ++j) greatest[j] = std::bit_cast<float>(std::min(most[j], 0x7f800000));
}

}  // namespace

const Kernels* kernels(int vector_bytes) {
#if defined(__x86_64__)
  const bool any = compiles_only();  // offered, not run
  if (vector_bytes >= 64 && (any || __builtin_cpu_supports("avx512f"))) return &avx512_kernels();
  if (vector_bytes >= 32 && (any || (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))))
    return &avx2_kernels();
#else
  (void)vector_bytes;
#endif
  return nullptr;
}

std::size_t packed_size(const Kernels& k, std::int64_t depth, std::int64_t n) {
  return static_cast<std::size_t>(panels(k, n) * depth * k.panel + kNote);
}

void pack(const Kernels& kernels, std::int64_t k, std::int64_t n, const float* b, std::int64_t row_stride,
          std::int64_t column_stride, float* packed, int threads) {
  struct Packing {
    std::int64_t panel, k, n;
    const float* b;
    std::int64_t row_stride, column_stride;
    float* packed;
    std::vector<float> greatest;  // of each column
  } packing{kernels.panel, k, n, b, row_stride, column_stride, packed, {}};
  packing.greatest.resize(static_cast<std::size_t>(panels(kernels, n) * kernels.panel));
  parallel_for(
      threads, 0, panels(kernels, n), 1,
      [](void* context, std::int64_t begin, std::int64_t end) {
        auto& p = *static_cast<Packing*>(context);
        // In squares, so that columns that lie far apart are read a cache line at a time.
        constexpr std::int64_t kSquare = 16;
        for (std::int64_t panel = begin; panel < end; ++panel) {
          float* to = p.packed + panel * p.k * p.panel;
          for (std::int64_t i0 = 0; i0 < p.k; i0 += kSquare)
            for (std::int64_t j0 = 0; j0 < p.panel; j0 += kSquare)
              for (std::int64_t i = i0; i < std::min(i0 + kSquare, p.k); ++i)
                for (std::int64_t j = j0; j < std::min(j0 + kSquare, p.panel); ++j) {
                  const std::int64_t column = panel * p.panel + j;
                  to[i * p.panel + j] = column < p.n ? p.b[i * p.row_stride + column * p.column_stride] : 0;
                }
          find_greatest(to, p.k, p.panel, p.greatest.data() + panel * p.panel);
        }
      },
      &packing);
  float* note = packed + panels(kernels, n) * k * kernels.panel;
  std::fill_n(note, kNote, 0.f);
  note[0] = strassen::imbalance(packing.greatest.data(), n);
}

std::size_t scratch_size(const Kernels& kernels, const Shape& s, std::int64_t a_stride, int threads) {
  const Blocking by = blocking_of(kernels, s, a_stride, threads);
  std::int64_t floats = by.rows * by.stride;
  if (strassen::pays(kernels, s, threads))
    floats += strassen::scratch_size(kernels, strassen::division_of(kernels, s, a_stride));
  return static_cast<std::size_t>(floats * threads);
}

void run(const Kernels& kernels, const Shape& s, const Epilogue& e, const float* a, std::int64_t a_stride,
         const float* packed, float* c, std::int64_t c_stride, float* scratch, int threads) {
  const Work w{kernels, s,      e, a, a_stride, packed, c, c_stride, blocking_of(kernels, s, a_stride, threads),
               scratch, threads};
  const float imbalance = packed[panels(kernels, s.n) * s.k * kernels.panel];
  if (imbalance > strassen::kBalance || !strassen::pays(kernels, s, threads)) {
    parallel_for(threads, 0, threads, 1, run_places, const_cast<Work*>(&w));
    return;
  }
  Halved halved{w, strassen::division_of(kernels, s, a_stride)};
  parallel_for(threads, 0, threads, 1, run_halved, &halved);
}

}  // namespace jitney::backend::gemm
