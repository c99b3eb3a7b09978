// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
// Generated; see tests/compiler/test_golden.cpp.

#define JT_LANES 16
#define JT_FOLD_STEPS(OP, x) x = OP(x, __builtin_shufflevector(x, x, 8,9,10,11,12,13,14,15,0,1,2,3,4,5,6,7)); x = OP(x, __builtin_shufflevector(x, x, 4,5,6,7,8,9,10,11,12,13,14,15,0,1,2,3)); x = OP(x, __builtin_shufflevector(x, x, 2,3,4,5,6,7,8,9,10,11,12,13,14,15,0,1)); x = OP(x, __builtin_shufflevector(x, x, 1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,0)); 
JT_TYPE(f32) JT_MEMORY_load_range(f32, f32) JT_MEMORY_store(f32, f32) JT_MEMORY_store_part(f32, f32)

__attribute__((visibility("default"))) void jitney_kernel(const jitney_args* a, i64 begin, i64 end) {
  const i64* n = a->numbers;
  const f32* in0 = a->pointers[0];
  const f32* in1 = a->pointers[1];
  f32* out0 = a->pointers[2];
  const i64 e0 = n[0];
  const i64 e1 = n[1];
  i64 rest = begin;
  i64 i1 = rest % e1; rest /= e1;
  i64 i0 = rest;
  while (begin < end) {
    const i64 stop = e1 - i1 < end - begin ? e1 : i1 + (end - begin);
    begin += stop - i1;
    const f32* p0 = in0 + n[3] + i0*n[2];
    const f32* p1 = in1 + n[8] + i0*n[7];
    f32* p2 = out0 + n[16] + i0*n[15];
    for (; i1 + JT_LANES <= stop; i1 += JT_LANES) {
      i64 lo3 = 0, hi3 = JT_LANES;
      jt_clip(n[13] + i0*n[12] + i1, 1, n[14], &lo3, &hi3);
      const i32v t2 = jt_lanes(lo3, hi3);
      i64 lo4 = 0, hi4 = JT_LANES;
      jt_clip(n[10] + i0*n[9] + i1, 1, n[11], &lo4, &hi4);
      const f32v t1 = jt_load_range_f32(p1 + i1, 1, lo4, hi4);
      i64 lo5 = 0, hi5 = JT_LANES;
      jt_clip(n[5] + i0*n[4] + i1, 1, n[6], &lo5, &hi5);
      const f32v t0 = jt_load_range_f32(p0 + i1, 1, lo5, hi5);
      const f32v t3 = jt_where(t2, t1, t0);
      jt_store_f32(p2 + i1, t3);
    }
    if (i1 < stop) {
      const i64 m = stop - i1;
      i64 lo6 = 0, hi6 = m;
      jt_clip(n[13] + i0*n[12] + i1, 1, n[14], &lo6, &hi6);
      const i32v t2 = jt_lanes(lo6, hi6);
      i64 lo7 = 0, hi7 = m;
      jt_clip(n[10] + i0*n[9] + i1, 1, n[11], &lo7, &hi7);
      const f32v t1 = jt_load_range_f32(p1 + i1, 1, lo7, hi7);
      i64 lo8 = 0, hi8 = m;
      jt_clip(n[5] + i0*n[4] + i1, 1, n[6], &lo8, &hi8);
      const f32v t0 = jt_load_range_f32(p0 + i1, 1, lo8, hi8);
      const f32v t3 = jt_where(t2, t1, t0);
      jt_store_part_f32(p2 + i1, t3, m);
    }
    i1 = 0;
    ++i0;
  }
}
