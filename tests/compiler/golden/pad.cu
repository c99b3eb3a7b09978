// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
// Generated; see tests/compiler/test_golden.cpp.

JT_OVERLAPS
struct jitney_args { void* p[2]; i64 n[18]; i64 begin, end; i32* fault; };
extern "C" __global__ void __launch_bounds__(256) jitney_kernel(const __grid_constant__ jitney_args a) {
  JT_BEGIN
  const f32* in0 = (const f32*)a.p[0];
  f32* out0 = (f32*)a.p[1];
  const i64 e0 = a.n[0];
  const i64 e1 = a.n[1];
  const i64 chunks = (e1 + 3) / 4;
  const i64 total = e1 == 0 ? 0 : jt_quotient(a.end, e1) * chunks;
  for (i64 at = (i64)blockIdx.x * blockDim.x + threadIdx.x; at < total; at += (i64)gridDim.x * blockDim.x) {
    i64 rest = at;
    const i64 b = jt_divide(rest, chunks) * 4;
    const i64 i0 = rest;
    auto* p0 = in0 + a.n[3] + i0*a.n[2];
    auto* p1 = out0 + a.n[17] + i0*a.n[16];
    const i32 m = e1 - b < 4 ? (i32)(e1 - b) : 4;
    jt_pack<4, f32> o2;
    #pragma unroll
    for (i32 l = 0; l < 4; ++l) {
      const i64 i1 = b + l;
      const i32 t1 = -(i32)((u64)(a.n[11] + i0*a.n[10]) < (u64)(a.n[12]) && (u64)(a.n[14] + i1) < (u64)(a.n[15]));
      const f32 t0 = ((u64)(a.n[5] + i0*a.n[4]) < (u64)(a.n[6]) && (u64)(a.n[8] + i1) < (u64)(a.n[9]) && l < m) ? jt_up_f32(*(p0 + i1)) : (f32)0;
      const f32 t3 = jt_where(t1, t0, (f32)0.5f);
      o2.e[l] = jt_down_f32(t3);
    }
    jt_write<4>(p1 + b, o2, m == 4, m);
  }
}
