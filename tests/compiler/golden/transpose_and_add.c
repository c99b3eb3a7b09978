// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
// Generated; see tests/compiler/test_golden.cpp.

#define JT_LANES 16
#define JT_FOLD_STEPS(OP, x) x = OP(x, __builtin_shufflevector(x, x, 8,9,10,11,12,13,14,15,0,1,2,3,4,5,6,7)); x = OP(x, __builtin_shufflevector(x, x, 4,5,6,7,8,9,10,11,12,13,14,15,0,1,2,3)); x = OP(x, __builtin_shufflevector(x, x, 2,3,4,5,6,7,8,9,10,11,12,13,14,15,0,1)); x = OP(x, __builtin_shufflevector(x, x, 1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,0)); 
JT_TYPE(f16) JT_MEMORY_load(f16, f32) JT_MEMORY_load_part(f16, f32) JT_MEMORY_gather(f16, f32) JT_MEMORY_store(f16, f32) JT_MEMORY_store_part(f16, f32)

__attribute__((visibility("default"))) void jitney_kernel(const jitney_args* a, i64 begin, i64 end) {
  const i64* n = a->numbers;
  const f16* in0 = a->pointers[0];
  const f16* in1 = a->pointers[1];
  f16* out0 = a->pointers[2];
  const i64 e0 = n[0];
  const i64 e1 = n[1];
  i64 rest = begin;
  i64 i1 = rest % e1; rest /= e1;
  i64 i0 = rest;
  while (begin < end) {
    const i64 stop = e1 - i1 < end - begin ? e1 : i1 + (end - begin);
    begin += stop - i1;
    const f16* p0 = in0 + n[4] + i0*n[2];
    const f16* p1 = in1 + n[6] + i0*n[5];
    f16* p2 = out0 + n[8] + i0*n[7];
    for (; i1 + JT_LANES <= stop; i1 += JT_LANES) {
      const f32v t0 = jt_gather_f16(p0 + i1*n[3], n[3], JT_LANES);
      const f32v t1 = jt_load_f16(p1 + i1);
      const f32v t2 = t0 + t1;
      jt_store_f16(p2 + i1, t2);
    }
    if (i1 < stop) {
      const i64 m = stop - i1;
      const f32v t0 = jt_gather_f16(p0 + i1*n[3], n[3], m);
      const f32v t1 = jt_load_part_f16(p1 + i1, m);
      const f32v t2 = t0 + t1;
      jt_store_part_f16(p2 + i1, t2, m);
    }
    i1 = 0;
    ++i0;
  }
}
