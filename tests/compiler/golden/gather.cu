// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
// Generated; see tests/compiler/test_golden.cpp.

JT_OVERLAPS
struct jitney_args { void* p[3]; i64 n[10]; i64 begin, end; i32* fault; };
extern "C" __global__ void __launch_bounds__(256) jitney_kernel(const __grid_constant__ jitney_args a) {
  JT_BEGIN
  const f32* in0 = (const f32*)a.p[0];
  const i64* in1 = (const i64*)a.p[1];
  f32* out0 = (f32*)a.p[2];
  const i64 e0 = a.n[0];
  const i64 e1 = a.n[1];
  const i64 chunks = (e1 + 3) / 4;
  const i64 total = e1 == 0 ? 0 : jt_quotient(a.end, e1) * chunks;
  for (i64 at = (i64)blockIdx.x * blockDim.x + threadIdx.x; at < total; at += (i64)gridDim.x * blockDim.x) {
    i64 rest = at;
    const i64 b = jt_divide(rest, chunks) * 4;
    const i64 i0 = rest;
    auto* p0 = in1 + a.n[3] + i0*a.n[2];
    auto* p1 = in0 + a.n[5] + i0*a.n[4];
    auto* p2 = out0 + a.n[9] + i0*a.n[8];
    const i32 m = e1 - b < 4 ? (i32)(e1 - b) : 4;
    const i64 t0 = jt_up_i64(*(p0));
    jt_pack<4, f32> v3;
    jt_read<4>(v3, p1 + b + jt_wrap(t0, a.n[7], a.fault) * a.n[6], m == 4, m);
    jt_pack<4, f32> o4;
    #pragma unroll
    for (i32 l = 0; l < 4; ++l) {
      const i64 i1 = b + l;
      const f32 t1 = jt_up_f32(v3.e[l]);
      o4.e[l] = jt_down_f32(t1);
    }
    jt_write<4>(p2 + b, o4, m == 4, m);
  }
}
