// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#define LANES 16
#define NAME avx512_kernels
#include "backend/cpu/attention/kernels.inc"
