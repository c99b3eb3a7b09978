// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#define LANES 8
#define NAME avx2_kernels
#include "backend/cpu/attention/kernels.inc"
