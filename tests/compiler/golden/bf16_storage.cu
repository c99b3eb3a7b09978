// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
// Generated; see tests/compiler/test_golden.cpp.

JT_OVERLAPS
struct jitney_args { void* p[4]; i64 n[4]; i64 begin, end; i32* fault; };
extern "C" __global__ void __launch_bounds__(256) jitney_kernel(const __grid_constant__ jitney_args a) {
  JT_BEGIN
  const bf16* in0 = (const bf16*)a.p[0];
  const bf16* in1 = (const bf16*)a.p[1];
  bf16* out0 = (bf16*)a.p[2];
  bf16* out1 = (bf16*)a.p[3];
  const i64 e0 = a.n[0];
  const i64 e1 = a.n[1];
  __shared__ u64 shared[8];
  const i32 parts = jt_parts(), part = jt_part();
  i32 turn = 0;
  __shared__ u64 told[2];
  i32 threads = 256;
  while (threads > 32 && (i64)threads / 2 * 8 >= e1) threads /= 2;
  const i32 all = threads * parts, lane = part * threads + (threadIdx.x & (threads - 1));
  const i32 rows = blockDim.x / threads;
  i64 row = (i64)(blockIdx.x / parts) * rows + threadIdx.x / threads;
  for (; row < a.end; row += (i64)(gridDim.x / parts) * rows) {
    i64 rest = row;
    const i64 i0 = rest;
    auto* p0 = in0 + ((i64)0) + i0*a.n[2];
    auto* p1 = in1 + ((i64)0) + i0*((i64)0);
    auto* p2 = out1 + ((i64)0) + i0*a.n[3];
    auto* p3 = out0 + ((i64)0) + i0*((i64)1);
    jt_pack<8, bf16> c4[2];
    jt_pack<8, bf16> c5[2];
    #pragma unroll
    for (i32 k = 0; k < 2; ++k) {
      const i64 b = ((i64)k * all + lane) * 8;
      if (b < e1) {
        const i32 m = e1 - b < 8 ? (i32)(e1 - b) : 8;
        jt_read<8>(c4[k], p0 + b, m == 8, m);
        jt_read<8>(c5[k], p1 + b, m == 8, m);
      }
    }
    f32 acc0 = 0;
    #pragma unroll
    for (i32 k = 0; k < 2; ++k) {
      const i64 b = ((i64)k * all + lane) * 8;
      if (b < e1) {
        const i32 m = e1 - b < 8 ? (i32)(e1 - b) : 8;
        #pragma unroll
        for (i32 l = 0; l < 8; ++l) {
          const i64 r1 = b + l;
          const f32 t0 = jt_up_bf16(c4[k].e[l]);
          const f32 t1 = jt_up_bf16(c5[k].e[l]);
          const f32 t2 = t0 + t1;
          const f32 t3 = t2;
          if (l < m) acc0 = acc0 + t3;
        }
      }
    }
    for (i64 b = ((i64)2 * all + lane) * 8; b < e1; b += (i64)all * 8) {
      const i32 m = e1 - b < 8 ? (i32)(e1 - b) : 8;
      jt_pack<8, bf16> v6;
      jt_read<8>(v6, p0 + b, m == 8, m);
      jt_pack<8, bf16> v7;
      jt_read<8>(v7, p1 + b, m == 8, m);
      #pragma unroll
      for (i32 l = 0; l < 8; ++l) {
        const i64 r1 = b + l;
        const f32 t0 = jt_up_bf16(v6.e[l]);
        const f32 t1 = jt_up_bf16(v7.e[l]);
        const f32 t2 = t0 + t1;
        const f32 t3 = t2;
        if (l < m) acc0 = acc0 + t3;
      }
    }
    acc0 = jt_fold_sum(acc0, threads, (f32*)shared);
    acc0 = jt_fold_parts_sum(acc0, parts, threadIdx.x == 0, told + turn);
    turn ^= 1;
    #pragma unroll
    for (i32 k = 0; k < 2; ++k) {
      const i64 b = ((i64)k * all + lane) * 8;
      if (b < e1) {
        const i32 m = e1 - b < 8 ? (i32)(e1 - b) : 8;
        jt_pack<8, bf16> o8;
        #pragma unroll
        for (i32 l = 0; l < 8; ++l) {
          const i64 r1 = b + l;
          const f32 t0 = jt_up_bf16(c4[k].e[l]);
          const f32 t1 = jt_up_bf16(c5[k].e[l]);
          const f32 t2 = t0 + t1;
          const f32 t6 = -t2;
          o8.e[l] = jt_down_bf16(t6);
        }
        jt_write<8>(p2 + b, o8, m == 8, m);
      }
    }
    for (i64 b = ((i64)2 * all + lane) * 8; b < e1; b += (i64)all * 8) {
      const i32 m = e1 - b < 8 ? (i32)(e1 - b) : 8;
      jt_pack<8, bf16> v9;
      jt_read<8>(v9, p0 + b, m == 8, m);
      jt_pack<8, bf16> v10;
      jt_read<8>(v10, p1 + b, m == 8, m);
      jt_pack<8, bf16> o11;
      #pragma unroll
      for (i32 l = 0; l < 8; ++l) {
        const i64 r1 = b + l;
        const f32 t0 = jt_up_bf16(v9.e[l]);
        const f32 t1 = jt_up_bf16(v10.e[l]);
        const f32 t2 = t0 + t1;
        const f32 t6 = -t2;
        o11.e[l] = jt_down_bf16(t6);
      }
      jt_write<8>(p2 + b, o11, m == 8, m);
    }
    if (lane == 0) {
      const f32 t5 = acc0;
      *(p3) = jt_down_bf16(t5);
    }
  }
  if (parts > 1) jt_wait_parts();
}
