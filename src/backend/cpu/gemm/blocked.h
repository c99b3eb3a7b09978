// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include "backend/cpu/gemm/gemm.h"

/// A product in blocks that fit into the caches, multiplied as it is written.
namespace jitney::backend::gemm {

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

Blocking blocking_of(const Kernels& kernels, const Shape& shape, std::int64_t a_stride, int threads);

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
/// there. c: where this panel's results begin.
Epilogue epilogue_of(const Work& work, std::int64_t begin, std::int64_t end, std::int64_t column, float* c);

struct Range {
  std::int64_t begin, end;
  std::int64_t size() const { return end - begin; }
};

/// Rows and panels of a product, and a part of the sum over k, to which the parts before were already added.
/// copy: room for Blocking::rows times Blocking::stride floats.
void multiply(const Work& work, Range rows, Range panels, Range k, float* copy);

/// A thread's part of `total` things is [share(i), share(i + 1)).
inline std::int64_t share_of(std::int64_t total, std::int64_t i, std::int64_t threads) { return total * i / threads; }

inline std::int64_t ceil_div(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }

/// How much longer it takes when things are divided among threads than it would if they could be cut.
inline double waste(std::int64_t things, int threads) {
  return static_cast<double>(ceil_div(things, threads) * threads) / static_cast<double>(things);
}

}  // namespace jitney::backend::gemm
