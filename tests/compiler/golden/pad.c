// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
// Generated; see tests/compiler/test_golden.cpp.

#define JT_LANES 16
#define JT_FOLD_STEPS(OP, x) x = OP(x, __builtin_shufflevector(x, x, 8,9,10,11,12,13,14,15,0,1,2,3,4,5,6,7)); x = OP(x, __builtin_shufflevector(x, x, 4,5,6,7,8,9,10,11,12,13,14,15,0,1,2,3)); x = OP(x, __builtin_shufflevector(x, x, 2,3,4,5,6,7,8,9,10,11,12,13,14,15,0,1)); x = OP(x, __builtin_shufflevector(x, x, 1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,0)); 
JT_TYPE(f32) JT_MEMORY_load_range(f32, f32) JT_MEMORY_store(f32, f32) JT_MEMORY_store_part(f32, f32)

__attribute__((visibility("default"))) void jitney_kernel(const jitney_args* a, i64 begin, i64 end) {
  const i64* n = a->numbers;
  const f32* in0 = a->pointers[0];
  f32* out0 = a->pointers[1];
  const i64 e0 = n[0];
  const i64 e1 = n[1];
  i64 rest = begin;
  i64 i1 = rest % e1; rest /= e1;
  i64 i0 = rest;
  while (begin < end) {
    const i64 stop = e1 - i1 < end - begin ? e1 : i1 + (end - begin);
    begin += stop - i1;
    const f32* p0 = in0 + n[3] + i0*n[2];
    f32* p1 = out0 + n[17] + i0*n[16];
    for (; i1 + JT_LANES <= stop; i1 += JT_LANES) {
      i64 lo2 = 0, hi2 = (u64)(n[11] + i0*n[10]) < (u64)(n[12]) ? JT_LANES : 0;
      jt_clip(n[14] + i0*n[13] + i1, 1, n[15], &lo2, &hi2);
      const i32v t1 = jt_lanes(lo2, hi2);
      i64 lo3 = 0, hi3 = (u64)(n[5] + i0*n[4]) < (u64)(n[6]) ? JT_LANES : 0;
      jt_clip(n[8] + i0*n[7] + i1, 1, n[9], &lo3, &hi3);
      const f32v t0 = jt_load_range_f32(p0 + i1, 1, lo3, hi3);
      const f32v t3 = jt_where(t1, t0, (f32v)((f32)0.5f));
      jt_store_f32(p1 + i1, t3);
    }
    if (i1 < stop) {
      const i64 m = stop - i1;
      i64 lo4 = 0, hi4 = (u64)(n[11] + i0*n[10]) < (u64)(n[12]) ? m : 0;
      jt_clip(n[14] + i0*n[13] + i1, 1, n[15], &lo4, &hi4);
      const i32v t1 = jt_lanes(lo4, hi4);
      i64 lo5 = 0, hi5 = (u64)(n[5] + i0*n[4]) < (u64)(n[6]) ? m : 0;
      jt_clip(n[8] + i0*n[7] + i1, 1, n[9], &lo5, &hi5);
      const f32v t0 = jt_load_range_f32(p0 + i1, 1, lo5, hi5);
      const f32v t3 = jt_where(t1, t0, (f32v)((f32)0.5f));
      jt_store_part_f32(p1 + i1, t3, m);
    }
    i1 = 0;
    ++i0;
  }
}
