// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
// Generated; see tests/compiler/test_golden.cpp.

JT_OVERLAPS
struct jitney_args { void* p[4]; i64 n[5]; i64 begin, end; i32* fault; };
extern "C" __global__ void __launch_bounds__(256) jitney_kernel(const __grid_constant__ jitney_args a) {
  JT_BEGIN
  const f16* in0 = (const f16*)a.p[0];
  const f16* in1 = (const f16*)a.p[1];
  const f16* in2 = (const f16*)a.p[2];
  f16* out0 = (f16*)a.p[3];
  const i64 e0 = a.n[0];
  const i64 e1 = a.n[1];
  const i64 e2 = ((i64)9);
  const i64 e3 = ((i64)24);
  const i64 e4 = ((i64)3);
  const i64 e5 = ((i64)3);
  const i64 chunks = (e3 + 3) / 4;
  const i64 total = e3 == 0 ? 0 : jt_quotient(a.end, e3) * chunks;
  for (i64 at = (i64)blockIdx.x * blockDim.x + threadIdx.x; at < total; at += (i64)gridDim.x * blockDim.x) {
    i64 rest = at;
    const i64 b = jt_divide(rest, chunks) * 4;
    const i64 i2 = jt_divide(rest, e2);
    const i64 i1 = jt_divide(rest, e1);
    const i64 i0 = rest;
    auto* p0 = in0 + ((i64)-240) + i0*a.n[2] + i1*((i64)216) + i2*((i64)24);
    auto* p1 = in1 + ((i64)0) + i0*((i64)0) + i1*((i64)0) + i2*((i64)0);
    auto* p2 = in2 + ((i64)0) + i0*((i64)0) + i1*((i64)0) + i2*((i64)0);
    auto* p3 = out0 + ((i64)0) + i0*a.n[4] + i1*((i64)216) + i2*((i64)24);
    f32 acc0[4];
    #pragma unroll
    for (i32 l = 0; l < 4; ++l) acc0[l] = 0;
    #pragma unroll
    for (i32 r4 = 0; r4 < 3; ++r4) {
      #pragma unroll
      for (i32 r5 = 0; r5 < 3; ++r5) {
        const i32 m = 4;
        jt_pack<4, f16> v4;
        {
          const i32 some = (u64)(((i64)-1) + i1*((i64)1) + r4*((i64)1)) < (u64)(a.n[3]) && (u64)(((i64)-1) + i2*((i64)1) + r5*((i64)1)) < (u64)(((i64)9)) ? m : 0;
          jt_read<4>(v4, p0 + b + r4*((i64)216) + r5*((i64)24), some == 4, some);
        }
        jt_pack<4, f16> v5;
        jt_read<4>(v5, p1 + b + r4*((i64)72) + r5*((i64)24), m == 4, m);
        #pragma unroll
        for (i32 l = 0; l < 4; ++l) {
          const i64 i3 = b + l;
          const f32 t0 = jt_up_f16(v4.e[l]);
          const f32 t2 = t0;
          const f32 t1 = jt_up_f16(v5.e[l]);
          const f32 t3 = t1;
          const f32 t4 = t2 * t3;
          if (l < m) acc0[l] = acc0[l] + t4;
        }
      }
    }
    const i32 m = 4;
    jt_pack<4, f16> v6;
    jt_read<4>(v6, p2 + b, m == 4, m);
    jt_pack<4, f16> o7;
    #pragma unroll
    for (i32 l = 0; l < 4; ++l) {
      const i64 i3 = b + l;
      const f32 t6 = jt_up_f16(v6.e[l]);
      const f32 t7 = t6;
      const f32 t8 = acc0[l] + t7;
      const f32 t9 = t8;
      const f32 t10 = jt_relu(t9);
      const f32 t12 = jt_min(t10, (f32)6.0f);
      o7.e[l] = jt_down_f16(t12);
    }
    jt_write<4>(p3 + b, o7, m == 4, m);
  }
}
