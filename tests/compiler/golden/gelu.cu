// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
// Generated; see tests/compiler/test_golden.cpp.

JT_OVERLAPS
struct jitney_args { void* p[2]; i64 n[3]; i64 begin, end; i32* fault; };
extern "C" __global__ void __launch_bounds__(256) jitney_kernel(const __grid_constant__ jitney_args a) {
  JT_BEGIN
  const f32* in0 = (const f32*)a.p[0];
  f32* out0 = (f32*)a.p[1];
  const i64 e0 = a.n[0];
  const i64 chunks = (e0 + 3) / 4;
  const i64 total = a.end == 0 ? 0 : chunks;
  for (i64 at = (i64)blockIdx.x * blockDim.x + threadIdx.x; at < total; at += (i64)gridDim.x * blockDim.x) {
    i64 rest = 0;
    const i64 b = at * 4;
    auto* p0 = in0 + a.n[1];
    auto* p1 = out0 + a.n[2];
    const i32 m = e0 - b < 4 ? (i32)(e0 - b) : 4;
    jt_pack<4, f32> v2;
    jt_read<4>(v2, p0 + b, m == 4, m);
    jt_pack<4, f32> o3;
    #pragma unroll
    for (i32 l = 0; l < 4; ++l) {
      const i64 i0 = b + l;
      const f32 t0 = jt_up_f32(v2.e[l]);
      const f32 t1 = jt_gelu_erf(t0);
      o3.e[l] = jt_down_f32(t1);
    }
    jt_write<4>(p1 + b, o3, m == 4, m);
  }
}
