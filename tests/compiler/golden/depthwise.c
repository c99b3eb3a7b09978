// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
// Generated; see tests/compiler/test_golden.cpp.

#define JT_LANES 32
#define JT_FOLD_STEPS(OP, x) x = OP(x, __builtin_shufflevector(x, x, 16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15)); x = OP(x, __builtin_shufflevector(x, x, 8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31,0,1,2,3,4,5,6,7)); x = OP(x, __builtin_shufflevector(x, x, 4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31,0,1,2,3)); x = OP(x, __builtin_shufflevector(x, x, 2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31,0,1)); x = OP(x, __builtin_shufflevector(x, x, 1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31,0)); 
JT_TYPE(f16) JT_MEMORY_load(f16, f32) JT_MEMORY_load_range(f16, f32) JT_MEMORY_load_part(f16, f32) JT_MEMORY_store(f16, f32) JT_MEMORY_store_part(f16, f32)

__attribute__((visibility("default"))) void jitney_kernel(const jitney_args* a, i64 begin, i64 end) {
  const i64* n = a->numbers;
  const f16* in0 = a->pointers[0];
  const f16* in1 = a->pointers[1];
  const f16* in2 = a->pointers[2];
  f16* out0 = a->pointers[3];
  const i64 e0 = n[0];
  const i64 e1 = n[1];
  const i64 e2 = n[2];
  const i64 e3 = n[3];
  const i64 e4 = n[4];
  const i64 e5 = n[5];
  i64 rest = begin;
  i64 i3 = rest % e3; rest /= e3;
  i64 i2 = rest % e2; rest /= e2;
  i64 i1 = rest % e1; rest /= e1;
  i64 i0 = rest;
  while (begin < end) {
    const i64 stop = e3 - i3 < end - begin ? e3 : i3 + (end - begin);
    begin += stop - i3;
    const f16* p0 = in0 + n[11] + i0*n[6] + i1*n[7] + i2*n[8];
    const f16* p1 = in1 + n[31] + i0*n[26] + i1*n[27] + i2*n[28];
    const f16* p2 = in2 + n[37] + i0*n[32] + i1*n[33] + i2*n[34];
    f16* p3 = out0 + n[43] + i0*n[38] + i1*n[39] + i2*n[40];
    for (; i3 + JT_LANES <= stop; i3 += JT_LANES) {
      f32v acc0 = (f32v)((f32)0);
      for (i64 r4 = 0; r4 < e4; ++r4) {
        for (i64 r5 = 0; r5 < e5; ++r5) {
          i64 lo4 = 0, hi4 = (u64)(n[17] + i0*n[12] + i1*n[13] + i2*n[14] + r4*n[15]) < (u64)(n[18]) && (u64)(n[24] + i0*n[19] + i1*n[20] + i2*n[21] + r5*n[23]) < (u64)(n[25]) ? JT_LANES : 0;
          const f32v t0 = jt_load_range_f16(p0 + i3 + r4*n[9] + r5*n[10], 1, lo4, hi4);
          const f32v t2 = t0;
          const f32v t1 = jt_load_f16(p1 + i3 + r4*n[29] + r5*n[30]);
          const f32v t3 = t1;
          acc0 = jt_fma(t2, t3, acc0);
        }
      }
      const f32v t6 = jt_load_f16(p2 + i3);
      const f32v t7 = t6;
      const f32v t8 = acc0 + t7;
      const f32v t9 = t8;
      const f32v t10 = jt_relu(t9);
      const f32v t12 = jt_min(t10, (f32v)((f32)6.0f));
      jt_store_f16(p3 + i3, t12);
    }
    if (i3 < stop) {
      const i64 m = stop - i3;
      f32v acc0 = (f32v)((f32)0);
      for (i64 r4 = 0; r4 < e4; ++r4) {
        for (i64 r5 = 0; r5 < e5; ++r5) {
          i64 lo5 = 0, hi5 = (u64)(n[17] + i0*n[12] + i1*n[13] + i2*n[14] + r4*n[15]) < (u64)(n[18]) && (u64)(n[24] + i0*n[19] + i1*n[20] + i2*n[21] + r5*n[23]) < (u64)(n[25]) ? m : 0;
          const f32v t0 = jt_load_range_f16(p0 + i3 + r4*n[9] + r5*n[10], 1, lo5, hi5);
          const f32v t2 = t0;
          const f32v t1 = jt_load_part_f16(p1 + i3 + r4*n[29] + r5*n[30], m);
          const f32v t3 = t1;
          acc0 = jt_fma(t2, t3, acc0);
        }
      }
      const f32v t6 = jt_load_part_f16(p2 + i3, m);
      const f32v t7 = t6;
      const f32v t8 = acc0 + t7;
      const f32v t9 = t8;
      const f32v t10 = jt_relu(t9);
      const f32v t12 = jt_min(t10, (f32v)((f32)6.0f));
      jt_store_part_f16(p3 + i3, t12, m);
    }
    i3 = 0;
    if (++i2 == e2) { i2 = 0; if (++i1 == e1) { i1 = 0; ++i0; } }
  }
}
