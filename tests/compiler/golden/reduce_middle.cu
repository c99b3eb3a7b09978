// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
// Generated; see tests/compiler/test_golden.cpp.

JT_OVERLAPS
struct jitney_args { void* p[2]; i64 n[3]; i64 begin, end; i32* fault; };
extern "C" __global__ void __launch_bounds__(256) jitney_kernel(const __grid_constant__ jitney_args a) {
  JT_BEGIN
  const f32* in0 = (const f32*)a.p[0];
  f32* out0 = (f32*)a.p[1];
  const i64 e0 = a.n[0];
  const i64 e1 = ((i64)40);
  const i64 e2 = a.n[1];
  __shared__ u64 shared[256];
  const i32 parts = jt_parts(), part = jt_part();
  i32 turn = 0;
  __shared__ u64 told[2 * 32];
  const i32 column = threadIdx.x % 32, slice = part * 8 + threadIdx.x / 32;
  for (i64 base = (i64)(blockIdx.x / parts) * 32; base < a.end; base += (i64)(gridDim.x / parts) * 32) {
    const bool exists = base + column < a.end;
    i64 rest = exists ? base + column : a.end - 1;
    const i64 b = jt_divide(rest, e1);
    const i64 i1 = b;
    const i64 i0 = rest;
    auto* p0 = in0 + ((i64)0) + i0*a.n[2];
    auto* p1 = out0 + ((i64)0) + i0*((i64)40);
    f32 acc0 = -JT_INF;
    const i64 step2 = 8 * parts;
    const i64 count2 = slice < e2 ? jt_quotient(e2 - slice + step2 - 1, step2) : 0;
    #pragma unroll 4
    for (i64 k = 0; k < count2; ++k) {
      const i64 r2 = slice + k * step2;
      {
        const i64 i1 = b;
        const f32 t0 = jt_up_f32(*(p0 + i1 + r2*((i64)40)));
        acc0 = jt_max(acc0, t0);
      }
    }
    __syncthreads();
    ((f32*)shared)[threadIdx.x] = acc0;
    __syncthreads();
    acc0 = ((f32*)shared)[column];
    for (i32 s = 1; s < 8; ++s) {
      acc0 = jt_max(acc0, ((f32*)shared)[s * 32 + column]);
    }
    acc0 = jt_fold_parts_max(acc0, parts, threadIdx.x < 32, told + turn * 32 + column);
    turn ^= 1;
    if (exists && slice == 0) {
      *(p1 + i1) = jt_down_f32(acc0);
    }
  }
  if (parts > 1) jt_wait_parts();
}
