// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
// Generated; see tests/compiler/test_golden.cpp.

JT_OVERLAPS
struct jitney_args { void* p[2]; i64 n[3]; i64 begin, end; i32* fault; };
extern "C" __global__ void __launch_bounds__(256) jitney_kernel(const __grid_constant__ jitney_args a) {
  JT_BEGIN
  const f16* in0 = (const f16*)a.p[0];
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
    jt_pack<4, f16> v2;
    jt_read<4>(v2, p0 + b, m == 4, m);
    jt_pack<4, f32> o3;
    #pragma unroll
    for (i32 l = 0; l < 4; ++l) {
      const i64 i0 = b + l;
      const f32 t0 = jt_up_f16(v2.e[l]);
      const f32 t1 = t0;
      o3.e[l] = jt_down_f32(t1);
    }
    jt_write<4>(p1 + b, o3, m == 4, m);
  }
}

JT_OVERLAPS
struct jitney_args { void* p[3]; i64 n[1]; i64 begin, end; i32* fault; };
extern "C" __global__ void __launch_bounds__(256) jitney_kernel(const __grid_constant__ jitney_args a) {
  JT_BEGIN
  const f16* in0 = (const f16*)a.p[0];
  const f32* in1 = (const f32*)a.p[1];
  f16* out0 = (f16*)a.p[2];
  const i64 e0 = a.n[0];
  const i64 e1 = ((i64)384);
  __shared__ u64 shared[8];
  const i32 threads = 64;
  const i32 lane = threadIdx.x & (threads - 1);
  const i32 rows = blockDim.x / threads;
  i64 row = (i64)(blockIdx.x) * rows + threadIdx.x / threads;
  for (; row < a.end; row += (i64)gridDim.x * rows) {
    i64 rest = row;
    const i64 i0 = rest;
    auto* p0 = in0 + ((i64)0) + i0*((i64)384);
    auto* p1 = in1 + ((i64)0) + i0*((i64)0);
    auto* p2 = out0 + ((i64)0) + i0*((i64)384);
    jt_pack<8, f16> c3[1];
    jt_pack<8, f32> c4[1];
    #pragma unroll
    for (i32 k = 0; k < 1; ++k) {
      const i64 b = ((i64)k * threads + lane) * 8;
      if (b < e1) {
        const i32 m = 8;
        jt_read<8>(c3[k], p0 + b, m == 8, m);
        jt_read<8>(c4[k], p1 + b, m == 8, m);
      }
    }
    f32 acc0 = 0;
    #pragma unroll
    for (i32 k = 0; k < 1; ++k) {
      const i64 b = ((i64)k * threads + lane) * 8;
      if (b < e1) {
        const i32 m = 8;
        #pragma unroll
        for (i32 l = 0; l < 8; ++l) {
          const i64 r1 = b + l;
          const f32 t0 = jt_up_f16(c3[k].e[l]);
          const f32 t1 = t0;
          if (l < m) acc0 = acc0 + t1;
        }
      }
    }
    acc0 = jt_fold_sum(acc0, threads, (f32*)shared);
    f32 acc1 = 0;
    const i64 t3 = ((i64)384);
    const f32 t4 = jt_to_f32(t3);
    const f32 t5 = jt_div(acc0, t4);
    #pragma unroll
    for (i32 k = 0; k < 1; ++k) {
      const i64 b = ((i64)k * threads + lane) * 8;
      if (b < e1) {
        const i32 m = 8;
        #pragma unroll
        for (i32 l = 0; l < 8; ++l) {
          const i64 r1 = b + l;
          const f32 t0 = jt_up_f16(c3[k].e[l]);
          const f32 t1 = t0;
          const f32 t6 = t1 - t5;
          const f32 t7 = t6 * t6;
          if (l < m) acc1 = acc1 + t7;
        }
      }
    }
    acc1 = jt_fold_sum(acc1, threads, (f32*)shared);
    const f32 t9 = jt_div(acc1, t4);
    const f32 t11 = t9 + (f32)1e-05f;
    const f32 t12 = jt_sqrt(t11);
    const f32 t13 = jt_reciprocal(t12);
    #pragma unroll
    for (i32 k = 0; k < 1; ++k) {
      const i64 b = ((i64)k * threads + lane) * 8;
      if (b < e1) {
        const i32 m = 8;
        jt_pack<8, f16> o5;
        #pragma unroll
        for (i32 l = 0; l < 8; ++l) {
          const i64 r1 = b + l;
          const f32 t0 = jt_up_f16(c3[k].e[l]);
          const f32 t1 = t0;
          const f32 t6 = t1 - t5;
          const f32 t14 = t6 * t13;
          const f32 t15 = jt_up_f32(c4[k].e[l]);
          const f32 t16 = t14 * t15;
          const f32 t17 = t16;
          o5.e[l] = jt_down_f16(t17);
        }
        jt_write<8>(p2 + b, o5, m == 8, m);
      }
    }
  }
}
