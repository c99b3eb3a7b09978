// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
// Generated; see tests/compiler/test_golden.cpp.

JT_OVERLAPS
struct jitney_args { void* p[3]; i64 n[9]; i64 begin, end; i32* fault; };
extern "C" __global__ void __launch_bounds__(256) jitney_kernel(const __grid_constant__ jitney_args a) {
  JT_BEGIN
  const f16* in0 = (const f16*)a.p[0];
  const f16* in1 = (const f16*)a.p[1];
  f16* out0 = (f16*)a.p[2];
  const i64 e0 = a.n[0];
  const i64 e1 = a.n[1];
  if (e0 >= 8 && e1 >= 8) {
    __shared__ f16 tile0[32][33];
    const i64 along = (e1 + 31) / 32, across = (e0 + 31) / 32;
    const i64 tiles = a.end == 0 ? 0 : along * across;
    const i32 x = threadIdx.x % 32, y = threadIdx.x / 32;
    for (i64 at = blockIdx.x; at < tiles; at += gridDim.x) {
      i64 rest = at;
      const i64 first = jt_divide(rest, along) * 32;
      const i64 other = rest * 32;
      auto* p0 = in0 + a.n[4];
      auto* p1 = in1 + a.n[6];
      auto* p2 = out0 + a.n[8];
      __syncthreads();
      #pragma unroll
      for (i32 j = y; j < 32; j += 8) {
        const i64 i1 = first + j, i0 = other + x;
        if (i1 < e1 && i0 < e0) {
          tile0[j][x] = *(p0 + i0*a.n[2] + i1*a.n[3]);
        }
      }
      __syncthreads();
      #pragma unroll
      for (i32 j = y; j < 32; j += 8) {
        const i64 b = first + x, i0 = other + j;
        if (b < e1 && i0 < e0) {
          {
            const i64 i1 = b;
            const f32 t0 = jt_up_f16(tile0[x][j]);
            const f32 t1 = jt_up_f16(*(p1 + i0*a.n[5] + i1));
            const f32 t2 = t0 + t1;
            *(p2 + i0*a.n[7] + i1) = jt_down_f16(t2);
          }
        }
      }
    }
  } else {
    const i64 chunks = (e1 + 7) / 8;
    const i64 total = e1 == 0 ? 0 : jt_quotient(a.end, e1) * chunks;
    for (i64 at = (i64)blockIdx.x * blockDim.x + threadIdx.x; at < total; at += (i64)gridDim.x * blockDim.x) {
      i64 rest = at;
      const i64 b = jt_divide(rest, chunks) * 8;
      const i64 i0 = rest;
      auto* p3 = in0 + a.n[4] + i0*a.n[2];
      auto* p4 = in1 + a.n[6] + i0*a.n[5];
      auto* p5 = out0 + a.n[8] + i0*a.n[7];
      const i32 m = e1 - b < 8 ? (i32)(e1 - b) : 8;
      jt_pack<8, f16> v6;
      jt_read<8>(v6, p4 + b, m == 8, m);
      jt_pack<8, f16> o7;
      #pragma unroll
      for (i32 l = 0; l < 8; ++l) {
        const i64 i1 = b + l;
        const f32 t0 = (l < m) ? jt_up_f16(*(p3 + i1*a.n[3])) : (f32)0;
        const f32 t1 = jt_up_f16(v6.e[l]);
        const f32 t2 = t0 + t1;
        o7.e[l] = jt_down_f16(t2);
      }
      jt_write<8>(p5 + b, o7, m == 8, m);
    }
  }
}
