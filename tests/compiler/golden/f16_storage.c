// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
// Generated; see tests/compiler/test_golden.cpp.

#define JT_LANES 32
#define JT_FOLD_STEPS(OP, x) x = OP(x, __builtin_shufflevector(x, x, 16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15)); x = OP(x, __builtin_shufflevector(x, x, 8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31,0,1,2,3,4,5,6,7)); x = OP(x, __builtin_shufflevector(x, x, 4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31,0,1,2,3)); x = OP(x, __builtin_shufflevector(x, x, 2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31,0,1)); x = OP(x, __builtin_shufflevector(x, x, 1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31,0)); 
JT_TYPE(f16) JT_MEMORY_load(f16, f32) JT_MEMORY_load_part(f16, f32) JT_MEMORY_store(f16, f32) JT_MEMORY_put(f16, f32) JT_MEMORY_store_part(f16, f32)

__attribute__((visibility("default"))) void jitney_kernel(const jitney_args* a, i64 begin, i64 end) {
  const i64* n = a->numbers;
  const f16* in0 = a->pointers[0];
  const f16* in1 = a->pointers[1];
  f16* out0 = a->pointers[2];
  f16* out1 = a->pointers[3];
  const i64 e0 = n[0];
  const i64 e1 = n[1];
  i64 rest = begin;
  i64 i0 = rest;
  for (; begin < end; ++begin) {
    const f16* p0 = in0 + n[3] + i0*n[2];
    const f16* p1 = in1 + n[5] + i0*n[4];
    f16* p2 = out1 + n[7] + i0*n[6];
    f16* p3 = out0 + n[9] + i0*n[8];
    f32v acc0 = (f32v)((f32)0);
    {
      i64 r1 = 0;
      for (; r1 + JT_LANES <= e1; r1 += JT_LANES) {
        const f32v t0 = jt_load_f16(p0 + r1);
        const f32v t1 = jt_load_f16(p1 + r1);
        const f32v t2 = t0 + t1;
        const f32v t3 = t2;
        acc0 = acc0 + t3;
      }
      if (r1 < e1) {
        const i64 m = e1 - r1;
        const f32v t0 = jt_load_part_f16(p0 + r1, m);
        const f32v t1 = jt_load_part_f16(p1 + r1, m);
        const f32v t2 = t0 + t1;
        const f32v t3 = t2;
        acc0 = jt_where(jt_lanes(0, m), acc0 + t3, acc0);
      }
    }
    const f32 s0 = jt_fold_sum(acc0);
    {
      i64 r1 = 0;
      for (; r1 + JT_LANES <= e1; r1 += JT_LANES) {
        const f32v t0 = jt_load_f16(p0 + r1);
        const f32v t1 = jt_load_f16(p1 + r1);
        const f32v t2 = t0 + t1;
        const f32v t6 = -t2;
        jt_store_f16(p2 + r1, t6);
      }
      if (r1 < e1) {
        const i64 m = e1 - r1;
        const f32v t0 = jt_load_part_f16(p0 + r1, m);
        const f32v t1 = jt_load_part_f16(p1 + r1, m);
        const f32v t2 = t0 + t1;
        const f32v t6 = -t2;
        jt_store_part_f16(p2 + r1, t6, m);
      }
    }
    const f32 t5 = s0;
    jt_put_f16(p3, t5);
    ++i0;
  }
}
