// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include "backend/cpu/gemm/blocked.h"

/// Seven products of half-sized matrices instead of eight (Strassen, "Gaussian Elimination is not Optimal", 1969; in
/// Winograd's form, with 15 additions), one level deep, with the sums made on the way into the caches (Huang, Smith,
/// Henry and van de Geijn, "Strassen's Algorithm Reloaded", 2016).
///
/// Rounding errors of such a product are bounded by the greatest element of a matrix and not by each sum's own terms:
/// what is great in one row of `a` disturbs the row that it is added to. Therefore it is used only for rows and columns
/// that are added to ones of like size, which is looked at in each run for `a` and once for the weights; anything else,
/// and whatever is not finite, is multiplied as it is written.
namespace jitney::backend::gemm::strassen {

/// Rows (or columns) that are added to each other differ by at most this factor in their greatest element.
inline constexpr float kBalance = 32;

/// How a product is divided: pairs of panels, one of each half of c's columns, and chunks of rows of two halves each.
struct Division {
  std::int64_t pairs, chunks, chunk;  ///< chunk: rows
  std::int64_t parts, depth;          ///< of k; depth: of the longest part
  std::int64_t stride;                ///< of the rows of sums
  bool copies;                        ///< whether quarters of `a` that are multiplied as they are get copied
};

/// Whether it pays, from the shape alone.
bool pays(const Kernels& kernels, const Shape& shape, int threads);
/// Only where it pays.
Division division_of(const Kernels& kernels, const Shape& shape, std::int64_t a_stride);
/// Floats for each thread, beside what blocks need.
std::int64_t scratch_size(const Kernels& kernels, const Division& division);

/// The greatest quotient of the greatest elements of two columns of packed weights that are added to each other;
/// infinite when a column is zero or not finite. greatest: of each column, in order.
float imbalance(const float* greatest, std::int64_t n);

/// A thread's part of a product. scratch: of this thread; copy: as for multiply().
void run_place(const Work& work, const Division& division, std::int64_t place, float* scratch, float* copy);

}  // namespace jitney::backend::gemm::strassen
