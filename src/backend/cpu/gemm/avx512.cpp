// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
// Compiled for AVX-512: 24 sums and 2 weights of 32 registers, the rows' values broadcast from memory.
#define LANES 16
#define ROWS 12
#define PANELS 2
#define NAME avx512_kernels
#include "backend/cpu/gemm/kernels.inc"
