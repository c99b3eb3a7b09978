// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
// Generated; see tests/compiler/test_golden.cpp.

#define JT_LANES 32
#define JT_FOLD_STEPS(OP, x) x = OP(x, __builtin_shufflevector(x, x, 16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15)); x = OP(x, __builtin_shufflevector(x, x, 8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31,0,1,2,3,4,5,6,7)); x = OP(x, __builtin_shufflevector(x, x, 4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31,0,1,2,3)); x = OP(x, __builtin_shufflevector(x, x, 2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31,0,1)); x = OP(x, __builtin_shufflevector(x, x, 1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31,0)); 
JT_TYPE(f32) JT_MEMORY_load(f32, f32) JT_MEMORY_load_part(f32, f32) JT_MEMORY_store(f32, f32) JT_MEMORY_store_part(f32, f32)

__attribute__((visibility("default"))) void jitney_kernel(const jitney_args* a, i64 begin, i64 end) {
  const i64* n = a->numbers;
  const f32* in0 = a->pointers[0];
  f32* out0 = a->pointers[1];
  const i64 e0 = n[0];
  const i64 e1 = n[1];
  i64 rest = begin;
  i64 i0 = rest;
  for (; begin < end; ++begin) {
    const f32* p0 = in0 + n[3] + i0*n[2];
    f32* p1 = out0 + n[5] + i0*n[4];
    f32v acc0 = (f32v)((f32)(-__builtin_inf()));
    {
      i64 r1 = 0;
      for (; r1 + JT_LANES <= e1; r1 += JT_LANES) {
        const f32v t0 = jt_load_f32(p0 + r1);
        acc0 = jt_max(acc0, t0);
      }
      if (r1 < e1) {
        const i64 m = e1 - r1;
        const f32v t0 = jt_load_part_f32(p0 + r1, m);
        acc0 = jt_where(jt_lanes(0, m), jt_max(acc0, t0), acc0);
      }
    }
    const f32 s0 = jt_fold_max(acc0);
    f32v acc1 = (f32v)((f32)(__builtin_inf()));
    {
      i64 r1 = 0;
      for (; r1 + JT_LANES <= e1; r1 += JT_LANES) {
        const f32v t0 = jt_load_f32(p0 + r1);
        const f32v t2 = t0 - (f32v)(s0);
        acc1 = jt_min(acc1, t2);
      }
      if (r1 < e1) {
        const i64 m = e1 - r1;
        const f32v t0 = jt_load_part_f32(p0 + r1, m);
        const f32v t2 = t0 - (f32v)(s0);
        acc1 = jt_where(jt_lanes(0, m), jt_min(acc1, t2), acc1);
      }
    }
    const f32 s1 = jt_fold_min(acc1);
    {
      i64 r1 = 0;
      for (; r1 + JT_LANES <= e1; r1 += JT_LANES) {
        const f32v t0 = jt_load_f32(p0 + r1);
        const f32v t2 = t0 - (f32v)(s0);
        const f32v t4 = t2 - (f32v)(s1);
        jt_store_f32(p1 + r1, t4);
      }
      if (r1 < e1) {
        const i64 m = e1 - r1;
        const f32v t0 = jt_load_part_f32(p0 + r1, m);
        const f32v t2 = t0 - (f32v)(s0);
        const f32v t4 = t2 - (f32v)(s1);
        jt_store_part_f32(p1 + r1, t4, m);
      }
    }
    ++i0;
  }
}
