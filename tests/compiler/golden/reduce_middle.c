// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
// Generated; see tests/compiler/test_golden.cpp.

#define JT_LANES 64
#define JT_FOLD_STEPS(OP, x) x = OP(x, __builtin_shufflevector(x, x, 32,33,34,35,36,37,38,39,40,41,42,43,44,45,46,47,48,49,50,51,52,53,54,55,56,57,58,59,60,61,62,63,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31)); x = OP(x, __builtin_shufflevector(x, x, 16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31,32,33,34,35,36,37,38,39,40,41,42,43,44,45,46,47,48,49,50,51,52,53,54,55,56,57,58,59,60,61,62,63,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15)); x = OP(x, __builtin_shufflevector(x, x, 8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31,32,33,34,35,36,37,38,39,40,41,42,43,44,45,46,47,48,49,50,51,52,53,54,55,56,57,58,59,60,61,62,63,0,1,2,3,4,5,6,7)); x = OP(x, __builtin_shufflevector(x, x, 4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31,32,33,34,35,36,37,38,39,40,41,42,43,44,45,46,47,48,49,50,51,52,53,54,55,56,57,58,59,60,61,62,63,0,1,2,3)); x = OP(x, __builtin_shufflevector(x, x, 2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31,32,33,34,35,36,37,38,39,40,41,42,43,44,45,46,47,48,49,50,51,52,53,54,55,56,57,58,59,60,61,62,63,0,1)); x = OP(x, __builtin_shufflevector(x, x, 1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31,32,33,34,35,36,37,38,39,40,41,42,43,44,45,46,47,48,49,50,51,52,53,54,55,56,57,58,59,60,61,62,63,0)); 
JT_TYPE(f32) JT_MEMORY_load(f32, f32) JT_MEMORY_load_part(f32, f32) JT_MEMORY_store(f32, f32) JT_MEMORY_store_part(f32, f32)

__attribute__((visibility("default"))) void jitney_kernel(const jitney_args* a, i64 begin, i64 end) {
  const i64* n = a->numbers;
  const f32* in0 = a->pointers[0];
  f32* out0 = a->pointers[1];
  const i64 e0 = n[0];
  const i64 e1 = n[1];
  const i64 e2 = n[2];
  i64 rest = begin;
  i64 i1 = rest % e1; rest /= e1;
  i64 i0 = rest;
  while (begin < end) {
    const i64 stop = e1 - i1 < end - begin ? e1 : i1 + (end - begin);
    begin += stop - i1;
    const f32* p0 = in0 + n[5] + i0*n[3];
    f32* p1 = out0 + n[8] + i0*n[6];
    for (; i1 + JT_LANES <= stop; i1 += JT_LANES) {
      f32v acc0 = (f32v)((f32)(-__builtin_inf()));
      for (i64 r2 = 0; r2 < e2; ++r2) {
        const f32v t0 = jt_load_f32(p0 + i1 + r2*n[4]);
        acc0 = jt_max(acc0, t0);
      }
      jt_store_f32(p1 + i1, acc0);
    }
    if (i1 < stop) {
      const i64 m = stop - i1;
      f32v acc0 = (f32v)((f32)(-__builtin_inf()));
      for (i64 r2 = 0; r2 < e2; ++r2) {
        const f32v t0 = jt_load_part_f32(p0 + i1 + r2*n[4], m);
        acc0 = jt_max(acc0, t0);
      }
      jt_store_part_f32(p1 + i1, acc0, m);
    }
    i1 = 0;
    ++i0;
  }
}
