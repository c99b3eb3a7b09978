// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
// Compiled for AVX2 and FMA: 12 sums, 2 weights and a broadcast value of 16 registers.
#define LANES 8
#define ROWS 6
#define PANELS 2
#define NAME avx2_kernels
#include "backend/cpu/gemm/kernels.inc"
