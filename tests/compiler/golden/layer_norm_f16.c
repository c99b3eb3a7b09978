// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
// Generated; see tests/compiler/test_golden.cpp.

#define JT_LANES 16
#define JT_FOLD_STEPS(OP, x) x = OP(x, __builtin_shufflevector(x, x, 8,9,10,11,12,13,14,15,0,1,2,3,4,5,6,7)); x = OP(x, __builtin_shufflevector(x, x, 4,5,6,7,8,9,10,11,12,13,14,15,0,1,2,3)); x = OP(x, __builtin_shufflevector(x, x, 2,3,4,5,6,7,8,9,10,11,12,13,14,15,0,1)); x = OP(x, __builtin_shufflevector(x, x, 1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,0)); 
JT_TYPE(f16) JT_MEMORY_load(f16, f32) JT_MEMORY_load_part(f16, f32)
JT_TYPE(f32) JT_MEMORY_store(f32, f32) JT_MEMORY_store_part(f32, f32)

__attribute__((visibility("default"))) void jitney_kernel(const jitney_args* a, i64 begin, i64 end) {
  const i64* n = a->numbers;
  const f16* in0 = a->pointers[0];
  f32* out0 = a->pointers[1];
  const i64 e0 = n[0];
  i64 rest = begin;
  i64 i0 = rest;
  while (begin < end) {
    const i64 stop = e0 - i0 < end - begin ? e0 : i0 + (end - begin);
    begin += stop - i0;
    const f16* p0 = in0 + n[1];
    f32* p1 = out0 + n[2];
    for (; i0 + JT_LANES <= stop; i0 += JT_LANES) {
      const f32v t0 = jt_load_f16(p0 + i0);
      const f32v t1 = t0;
      jt_store_f32(p1 + i0, t1);
    }
    if (i0 < stop) {
      const i64 m = stop - i0;
      const f32v t0 = jt_load_part_f16(p0 + i0, m);
      const f32v t1 = t0;
      jt_store_part_f32(p1 + i0, t1, m);
    }
    i0 = 0;
  }
}

#define JT_LANES 32
#define JT_FOLD_STEPS(OP, x) x = OP(x, __builtin_shufflevector(x, x, 16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15)); x = OP(x, __builtin_shufflevector(x, x, 8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31,0,1,2,3,4,5,6,7)); x = OP(x, __builtin_shufflevector(x, x, 4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31,0,1,2,3)); x = OP(x, __builtin_shufflevector(x, x, 2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31,0,1)); x = OP(x, __builtin_shufflevector(x, x, 1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31,0)); 
JT_TYPE(f16) JT_MEMORY_load(f16, f32) JT_MEMORY_load_part(f16, f32) JT_MEMORY_store(f16, f32) JT_MEMORY_store_part(f16, f32)
JT_TYPE(f32) JT_MEMORY_load(f32, f32) JT_MEMORY_load_part(f32, f32)

__attribute__((visibility("default"))) void jitney_kernel(const jitney_args* a, i64 begin, i64 end) {
  const i64* n = a->numbers;
  const f16* in0 = a->pointers[0];
  const f32* in1 = a->pointers[1];
  f16* out0 = a->pointers[2];
  const i64 e0 = n[0];
  const i64 e1 = n[1];
  i64 rest = begin;
  i64 i0 = rest;
  for (; begin < end; ++begin) {
    const f16* p0 = in0 + n[3] + i0*n[2];
    const f32* p1 = in1 + n[6] + i0*n[5];
    f16* p2 = out0 + n[8] + i0*n[7];
    f32v acc0 = (f32v)((f32)0);
    {
      i64 r1 = 0;
      for (; r1 + JT_LANES <= e1; r1 += JT_LANES) {
        const f32v t0 = jt_load_f16(p0 + r1);
        const f32v t1 = t0;
        acc0 = acc0 + t1;
      }
      if (r1 < e1) {
        const i64 m = e1 - r1;
        const f32v t0 = jt_load_part_f16(p0 + r1, m);
        const f32v t1 = t0;
        acc0 = jt_where(jt_lanes(0, m), acc0 + t1, acc0);
      }
    }
    const f32 s0 = jt_fold_sum(acc0);
    f32v acc1 = (f32v)((f32)0);
    const i64 t3 = n[4];
    const f32 t4 = jt_to_f32(t3);
    const f32 t5 = jt_div(s0, t4);
    {
      i64 r1 = 0;
      for (; r1 + JT_LANES <= e1; r1 += JT_LANES) {
        const f32v t0 = jt_load_f16(p0 + r1);
        const f32v t1 = t0;
        const f32v t6 = t1 - (f32v)(t5);
        acc1 = jt_fma(t6, t6, acc1);
      }
      if (r1 < e1) {
        const i64 m = e1 - r1;
        const f32v t0 = jt_load_part_f16(p0 + r1, m);
        const f32v t1 = t0;
        const f32v t6 = t1 - (f32v)(t5);
        acc1 = jt_where(jt_lanes(0, m), jt_fma(t6, t6, acc1), acc1);
      }
    }
    const f32 s1 = jt_fold_sum(acc1);
    const f32 t9 = jt_div(s1, t4);
    const f32 t11 = t9 + (f32)1e-05f;
    const f32 t12 = jt_sqrt(t11);
    const f32 t13 = jt_reciprocal(t12);
    {
      i64 r1 = 0;
      for (; r1 + JT_LANES <= e1; r1 += JT_LANES) {
        const f32v t0 = jt_load_f16(p0 + r1);
        const f32v t1 = t0;
        const f32v t6 = t1 - (f32v)(t5);
        const f32v t14 = t6 * (f32v)(t13);
        const f32v t15 = jt_load_f32(p1 + r1);
        const f32v t16 = t14 * t15;
        const f32v t17 = t16;
        jt_store_f16(p2 + r1, t17);
      }
      if (r1 < e1) {
        const i64 m = e1 - r1;
        const f32v t0 = jt_load_part_f16(p0 + r1, m);
        const f32v t1 = t0;
        const f32v t6 = t1 - (f32v)(t5);
        const f32v t14 = t6 * (f32v)(t13);
        const f32v t15 = jt_load_part_f32(p1 + r1, m);
        const f32v t16 = t14 * t15;
        const f32v t17 = t16;
        jt_store_part_f16(p2 + r1, t17, m);
      }
    }
    ++i0;
  }
}
