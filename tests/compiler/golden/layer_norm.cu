// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
// Generated; see tests/compiler/test_golden.cpp.

JT_OVERLAPS
struct jitney_args { void* p[4]; i64 n[5]; i64 begin, end; i32* fault; };
extern "C" __global__ void __launch_bounds__(256) jitney_kernel(const __grid_constant__ jitney_args a) {
  JT_BEGIN
  const f32* in0 = (const f32*)a.p[0];
  const f32* in1 = (const f32*)a.p[1];
  const f32* in2 = (const f32*)a.p[2];
  f32* out0 = (f32*)a.p[3];
  const i64 e0 = a.n[0];
  const i64 e1 = a.n[1];
  __shared__ u64 shared[8];
  const i32 parts = jt_parts(), part = jt_part();
  i32 turn = 0;
  __shared__ u64 told[2];
  i32 threads = 256;
  while (threads > 32 && (i64)threads / 2 * 4 >= e1) threads /= 2;
  const i32 all = threads * parts, lane = part * threads + (threadIdx.x & (threads - 1));
  const i32 rows = blockDim.x / threads;
  i64 row = (i64)(blockIdx.x / parts) * rows + threadIdx.x / threads;
  for (; row < a.end; row += (i64)(gridDim.x / parts) * rows) {
    i64 rest = row;
    const i64 i0 = rest;
    auto* p0 = in0 + ((i64)0) + i0*a.n[2];
    auto* p1 = in1 + ((i64)0) + i0*((i64)0);
    auto* p2 = in2 + ((i64)0) + i0*((i64)0);
    auto* p3 = out0 + ((i64)0) + i0*a.n[4];
    jt_pack<4, f32> c4[2];
    jt_pack<4, f32> c5[2];
    jt_pack<4, f32> c6[2];
    #pragma unroll
    for (i32 k = 0; k < 2; ++k) {
      const i64 b = ((i64)k * all + lane) * 4;
      if (b < e1) {
        const i32 m = e1 - b < 4 ? (i32)(e1 - b) : 4;
        jt_read<4>(c4[k], p0 + b, m == 4, m);
        jt_read<4>(c5[k], p1 + b, m == 4, m);
        jt_read<4>(c6[k], p2 + b, m == 4, m);
      }
    }
    f32 acc0 = 0;
    #pragma unroll
    for (i32 k = 0; k < 2; ++k) {
      const i64 b = ((i64)k * all + lane) * 4;
      if (b < e1) {
        const i32 m = e1 - b < 4 ? (i32)(e1 - b) : 4;
        #pragma unroll
        for (i32 l = 0; l < 4; ++l) {
          const i64 r1 = b + l;
          const f32 t0 = jt_up_f32(c4[k].e[l]);
          if (l < m) acc0 = acc0 + t0;
        }
      }
    }
    for (i64 b = ((i64)2 * all + lane) * 4; b < e1; b += (i64)all * 4) {
      const i32 m = e1 - b < 4 ? (i32)(e1 - b) : 4;
      jt_pack<4, f32> v7;
      jt_read<4>(v7, p0 + b, m == 4, m);
      #pragma unroll
      for (i32 l = 0; l < 4; ++l) {
        const i64 r1 = b + l;
        const f32 t0 = jt_up_f32(v7.e[l]);
        if (l < m) acc0 = acc0 + t0;
      }
    }
    acc0 = jt_fold_sum(acc0, threads, (f32*)shared);
    acc0 = jt_fold_parts_sum(acc0, parts, threadIdx.x == 0, told + turn);
    turn ^= 1;
    f32 acc1 = 0;
    const i64 t2 = a.n[3];
    const f32 t3 = jt_to_f32(t2);
    const f32 t4 = jt_div(acc0, t3);
    #pragma unroll
    for (i32 k = 0; k < 2; ++k) {
      const i64 b = ((i64)k * all + lane) * 4;
      if (b < e1) {
        const i32 m = e1 - b < 4 ? (i32)(e1 - b) : 4;
        #pragma unroll
        for (i32 l = 0; l < 4; ++l) {
          const i64 r1 = b + l;
          const f32 t0 = jt_up_f32(c4[k].e[l]);
          const f32 t5 = t0 - t4;
          const f32 t6 = t5 * t5;
          if (l < m) acc1 = acc1 + t6;
        }
      }
    }
    for (i64 b = ((i64)2 * all + lane) * 4; b < e1; b += (i64)all * 4) {
      const i32 m = e1 - b < 4 ? (i32)(e1 - b) : 4;
      jt_pack<4, f32> v8;
      jt_read<4>(v8, p0 + b, m == 4, m);
      #pragma unroll
      for (i32 l = 0; l < 4; ++l) {
        const i64 r1 = b + l;
        const f32 t0 = jt_up_f32(v8.e[l]);
        const f32 t5 = t0 - t4;
        const f32 t6 = t5 * t5;
        if (l < m) acc1 = acc1 + t6;
      }
    }
    acc1 = jt_fold_sum(acc1, threads, (f32*)shared);
    acc1 = jt_fold_parts_sum(acc1, parts, threadIdx.x == 0, told + turn);
    turn ^= 1;
    const f32 t8 = jt_div(acc1, t3);
    const f32 t10 = t8 + (f32)1e-05f;
    const f32 t11 = jt_sqrt(t10);
    const f32 t12 = jt_reciprocal(t11);
    #pragma unroll
    for (i32 k = 0; k < 2; ++k) {
      const i64 b = ((i64)k * all + lane) * 4;
      if (b < e1) {
        const i32 m = e1 - b < 4 ? (i32)(e1 - b) : 4;
        jt_pack<4, f32> o9;
        #pragma unroll
        for (i32 l = 0; l < 4; ++l) {
          const i64 r1 = b + l;
          const f32 t0 = jt_up_f32(c4[k].e[l]);
          const f32 t5 = t0 - t4;
          const f32 t13 = t5 * t12;
          const f32 t14 = jt_up_f32(c5[k].e[l]);
          const f32 t15 = t13 * t14;
          const f32 t16 = jt_up_f32(c6[k].e[l]);
          const f32 t17 = t15 + t16;
          o9.e[l] = jt_down_f32(t17);
        }
        jt_write<4>(p3 + b, o9, m == 4, m);
      }
    }
    for (i64 b = ((i64)2 * all + lane) * 4; b < e1; b += (i64)all * 4) {
      const i32 m = e1 - b < 4 ? (i32)(e1 - b) : 4;
      jt_pack<4, f32> v10;
      jt_read<4>(v10, p0 + b, m == 4, m);
      jt_pack<4, f32> v11;
      jt_read<4>(v11, p1 + b, m == 4, m);
      jt_pack<4, f32> v12;
      jt_read<4>(v12, p2 + b, m == 4, m);
      jt_pack<4, f32> o13;
      #pragma unroll
      for (i32 l = 0; l < 4; ++l) {
        const i64 r1 = b + l;
        const f32 t0 = jt_up_f32(v10.e[l]);
        const f32 t5 = t0 - t4;
        const f32 t13 = t5 * t12;
        const f32 t14 = jt_up_f32(v11.e[l]);
        const f32 t15 = t13 * t14;
        const f32 t16 = jt_up_f32(v12.e[l]);
        const f32 t17 = t15 + t16;
        o13.e[l] = jt_down_f32(t17);
      }
      jt_write<4>(p3 + b, o13, m == 4, m);
    }
  }
  if (parts > 1) jt_wait_parts();
}
