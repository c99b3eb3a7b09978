// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
// Generated; see tests/compiler/test_golden.cpp.

JT_OVERLAPS
struct jitney_args { void* p[2]; i64 n[1]; i64 begin, end; i32* fault; };
extern "C" __global__ void __launch_bounds__(256) jitney_kernel(const __grid_constant__ jitney_args a) {
  JT_BEGIN
  const f32* in0 = (const f32*)a.p[0];
  f32* out0 = (f32*)a.p[1];
  const i64 e0 = a.n[0];
  const i64 e1 = ((i64)20000);
  __shared__ u64 shared[8];
  const i32 parts = jt_parts(), part = jt_part();
  i32 turn = 0;
  __shared__ u64 told[2];
  const i32 threads = 256;
  const i32 all = threads * parts, lane = part * threads + (threadIdx.x & (threads - 1));
  const i32 rows = blockDim.x / threads;
  i64 row = (i64)(blockIdx.x / parts) * rows + threadIdx.x / threads;
  for (; row < a.end; row += (i64)(gridDim.x / parts) * rows) {
    i64 rest = row;
    const i64 i0 = rest;
    auto* p0 = in0 + ((i64)0) + i0*((i64)20000);
    auto* p1 = out0 + ((i64)0) + i0*((i64)20000);
    jt_pack<4, f32> c2[2];
    #pragma unroll
    for (i32 k = 0; k < 2; ++k) {
      const i64 b = ((i64)k * all + lane) * 4;
      if (b < e1) {
        const i32 m = 4;
        jt_read<4>(c2[k], p0 + b, m == 4, m);
      }
    }
    f32 acc0 = -JT_INF;
    #pragma unroll
    for (i32 k = 0; k < 2; ++k) {
      const i64 b = ((i64)k * all + lane) * 4;
      if (b < e1) {
        const i32 m = 4;
        #pragma unroll
        for (i32 l = 0; l < 4; ++l) {
          const i64 r1 = b + l;
          const f32 t0 = jt_up_f32(c2[k].e[l]);
          if (l < m) acc0 = jt_max(acc0, t0);
        }
      }
    }
    for (i64 b = ((i64)2 * all + lane) * 4; b < e1; b += (i64)all * 4) {
      const i32 m = 4;
      jt_pack<4, f32> v3;
      jt_read<4>(v3, p0 + b, m == 4, m);
      #pragma unroll
      for (i32 l = 0; l < 4; ++l) {
        const i64 r1 = b + l;
        const f32 t0 = jt_up_f32(v3.e[l]);
        if (l < m) acc0 = jt_max(acc0, t0);
      }
    }
    acc0 = jt_fold_max(acc0, threads, (f32*)shared);
    acc0 = jt_fold_parts_max(acc0, parts, threadIdx.x == 0, told + turn);
    turn ^= 1;
    f32 acc1 = JT_INF;
    #pragma unroll
    for (i32 k = 0; k < 2; ++k) {
      const i64 b = ((i64)k * all + lane) * 4;
      if (b < e1) {
        const i32 m = 4;
        #pragma unroll
        for (i32 l = 0; l < 4; ++l) {
          const i64 r1 = b + l;
          const f32 t0 = jt_up_f32(c2[k].e[l]);
          const f32 t2 = t0 - acc0;
          if (l < m) acc1 = jt_min(acc1, t2);
        }
      }
    }
    for (i64 b = ((i64)2 * all + lane) * 4; b < e1; b += (i64)all * 4) {
      const i32 m = 4;
      jt_pack<4, f32> v4;
      jt_read<4>(v4, p0 + b, m == 4, m);
      #pragma unroll
      for (i32 l = 0; l < 4; ++l) {
        const i64 r1 = b + l;
        const f32 t0 = jt_up_f32(v4.e[l]);
        const f32 t2 = t0 - acc0;
        if (l < m) acc1 = jt_min(acc1, t2);
      }
    }
    acc1 = jt_fold_min(acc1, threads, (f32*)shared);
    acc1 = jt_fold_parts_min(acc1, parts, threadIdx.x == 0, told + turn);
    turn ^= 1;
    #pragma unroll
    for (i32 k = 0; k < 2; ++k) {
      const i64 b = ((i64)k * all + lane) * 4;
      if (b < e1) {
        const i32 m = 4;
        jt_pack<4, f32> o5;
        #pragma unroll
        for (i32 l = 0; l < 4; ++l) {
          const i64 r1 = b + l;
          const f32 t0 = jt_up_f32(c2[k].e[l]);
          const f32 t2 = t0 - acc0;
          const f32 t4 = t2 - acc1;
          o5.e[l] = jt_down_f32(t4);
        }
        jt_write<4>(p1 + b, o5, m == 4, m);
      }
    }
    for (i64 b = ((i64)2 * all + lane) * 4; b < e1; b += (i64)all * 4) {
      const i32 m = 4;
      jt_pack<4, f32> v6;
      jt_read<4>(v6, p0 + b, m == 4, m);
      jt_pack<4, f32> o7;
      #pragma unroll
      for (i32 l = 0; l < 4; ++l) {
        const i64 r1 = b + l;
        const f32 t0 = jt_up_f32(v6.e[l]);
        const f32 t2 = t0 - acc0;
        const f32 t4 = t2 - acc1;
        o7.e[l] = jt_down_f32(t4);
      }
      jt_write<4>(p1 + b, o7, m == 4, m);
    }
  }
  if (parts > 1) jt_wait_parts();
}
