// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
// Generated; see tests/compiler/test_golden.cpp.

JT_OVERLAPS
struct jitney_args { void* p[3]; i64 n[12]; i64 begin, end; i32* fault; };
extern "C" __global__ void __launch_bounds__(256) jitney_kernel(const __grid_constant__ jitney_args a) {
  JT_BEGIN
  const b8* in0 = (const b8*)a.p[0];
  const f32* in1 = (const f32*)a.p[1];
  f32* out0 = (f32*)a.p[2];
  const i64 e0 = a.n[0];
  const i64 e1 = a.n[1];
  const i64 e2 = a.n[2];
  const i64 chunks = (e2 + 3) / 4;
  const i64 total = e2 == 0 ? 0 : jt_quotient(a.end, e2) * chunks;
  for (i64 at = (i64)blockIdx.x * blockDim.x + threadIdx.x; at < total; at += (i64)gridDim.x * blockDim.x) {
    i64 rest = at;
    const i64 b = jt_divide(rest, chunks) * 4;
    const i64 i1 = jt_divide(rest, e1);
    const i64 i0 = rest;
    auto* p0 = in0 + a.n[5] + i0*a.n[3] + i1*a.n[4];
    auto* p1 = in1 + a.n[8] + i0*a.n[6] + i1*a.n[7];
    auto* p2 = out0 + a.n[11] + i0*a.n[9] + i1*a.n[10];
    const i32 m = e2 - b < 4 ? (i32)(e2 - b) : 4;
    jt_pack<4, b8> v3;
    jt_read<4>(v3, p0 + b, m == 4, m);
    jt_pack<4, f32> v4;
    jt_read<4>(v4, p1 + b, m == 4, m);
    jt_pack<4, f32> o5;
    #pragma unroll
    for (i32 l = 0; l < 4; ++l) {
      const i64 i2 = b + l;
      const i32 t0 = jt_up_b8(v3.e[l]);
      const f32 t1 = jt_up_f32(v4.e[l]);
      const f32 t3 = jt_where(t0, t1, (f32)(-1000000000.0f));
      o5.e[l] = jt_down_f32(t3);
    }
    jt_write<4>(p2 + b, o5, m == 4, m);
  }
}
