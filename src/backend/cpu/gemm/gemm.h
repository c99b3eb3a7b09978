// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>

/// Matrix products in f32 with constant weights, packed into panels that stay in the L2 cache while all rows go by
/// (Goto and van de Geijn, "Anatomy of High-Performance Matrix Multiplication", 2008). On Zen 4 it runs at 95 to 100 %
/// of the processor's peak where oneDNN 3.2 reaches 75 to 95 %. Large products take an eighth less multiplications
/// where that is safe (strassen.h). Nothing is allocated.
namespace jitney::backend::gemm {

enum class Activation : std::uint8_t { none, gelu_erf, gelu_tanh, silu };

/// Applied to every result: c = activation(min(max(sum + bias + addend, low), high)); NaN stays NaN.
struct Epilogue {
  const float* bias = nullptr;    ///< [n], or none
  const float* addend = nullptr;  ///< like c, with c's strides; may be c itself
  float low = -std::numeric_limits<float>::infinity(), high = std::numeric_limits<float>::infinity();
  Activation activation = Activation::none;
};

/// One panel: c [rows][width] = a [rows][k] panel [k][Kernels::panel]. Rows of a and c lie a_stride and c_stride apart.
struct PanelCall {
  std::int64_t rows, k;
  const float* a;
  std::int64_t a_stride;
  const float* panel;  ///< 64-byte aligned
  float* c;
  std::int64_t c_stride;
  int width;                           ///< Kernels::panel or less
  const Epilogue* epilogue = nullptr;  ///< of this panel: bias and addend begin where the panel does
  const float* next = nullptr;  ///< the panel to be multiplied after this one, fetched into L2 meanwhile; or none
};

/// What becomes of a product that contributes to some quarter of c.
struct Share {
  enum class Kind : std::uint8_t {
    none,
    set,     ///< to = product
    add,     ///< to = from + product
    finish,  ///< c = epilogue(from + product)
  } kind = Kind::none;
  bool negative = false;               ///< the product counts as its opposite
  std::int64_t rows = 0;               ///< only so many of the product's rows
  const float* from = nullptr;         ///< [rows][Kernels::panel], 64-byte aligned
  float* to = nullptr;                 ///< likewise; may be `from`
  float* c = nullptr;                  ///< finish: with PanelCall::c_stride
  const Epilogue* epilogue = nullptr;  ///< finish
};

/// Memory that is fetched into L2 meanwhile.
struct Fetched {
  const char* at = nullptr;
  std::int64_t bytes = 0;
};

/// A product by Strassen's algorithm, whose panel may be panel - less, or panel - less + more; that is made while the
/// first rows are multiplied. It becomes a share of up to two quarters of c; the call's c and epilogue are not used.
struct SharedCall {
  PanelCall call;
  const float *less = nullptr, *more = nullptr;  ///< panels, or none; `more` only with `less`
  float* sum = nullptr;                          ///< room for a panel
  Share shares[2];
};

/// Rows of `a` in four quarters, and the sums of them that Strassen's algorithm multiplies. The upper quarters have
/// `upper` rows and the lower ones as many or one less, which then counts as zero; all have `columns` columns.
struct QuarterCall {
  std::int64_t upper, lower, columns;
  const float* a;
  std::int64_t a_stride;
  /// s1 = a21 + a22, s2 = s1 - a11, s3 = a11 - a21, s4 = a12 - s2; then a11, a12 and a22 themselves, or null.
  float* to[7];
  std::int64_t to_stride;
  /// Rows that are added to each other must not differ by more than this factor in their greatest element.
  float balance;
  Fetched fetched[2];
};

/// The part that depends on the instruction set.
struct Kernels {
  int lanes;  ///< floats in a register
  int rows;   ///< of a register block
  int panel;  ///< columns of a panel
  void (*multiply)(const PanelCall& call);
  void (*multiply_shared)(const SharedCall& call);
  /// False, with sums that are not to be used, when rows are not balanced or something is not finite.
  bool (*sum_quarters)(const QuarterCall& call);
};

const Kernels& avx512_kernels();
const Kernels& avx2_kernels();
/// For this processor and registers of at most so many bytes; null when it has neither AVX-512 nor AVX2 with FMA.
const Kernels* kernels(int vector_bytes);

struct Shape {
  std::int64_t m = 0, k = 0, n = 0;
};

inline std::int64_t panels(const Kernels& kernels, std::int64_t n) { return (n + kernels.panel - 1) / kernels.panel; }

/// Floats of packed weights: [panels][k][panel], the last panel filled up with zeros.
std::size_t packed_size(const Kernels& kernels, std::int64_t k, std::int64_t n);
/// b: element [i, j] at b[i * row_stride + j * column_stride].
void pack(const Kernels& kernels, std::int64_t k, std::int64_t n, const float* b, std::int64_t row_stride,
          std::int64_t column_stride, float* packed, int threads);

/// Floats that `run` needs to work in.
std::size_t scratch_size(const Kernels& kernels, const Shape& shape, std::int64_t a_stride, int threads);
/// c [m][n] = a [m][k] b, with the epilogue. a may have any row stride from k on, c any from n on. scratch: 64-byte
/// aligned, not shared with another call that runs.
void run(const Kernels& kernels, const Shape& shape, const Epilogue& epilogue, const float* a, std::int64_t a_stride,
         const float* packed, float* c, std::int64_t c_stride, float* scratch, int threads);

}  // namespace jitney::backend::gemm
