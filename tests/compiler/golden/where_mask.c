// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
// Generated; see tests/compiler/test_golden.cpp.

#define JT_LANES 16
#define JT_FOLD_STEPS(OP, x) x = OP(x, __builtin_shufflevector(x, x, 8,9,10,11,12,13,14,15,0,1,2,3,4,5,6,7)); x = OP(x, __builtin_shufflevector(x, x, 4,5,6,7,8,9,10,11,12,13,14,15,0,1,2,3)); x = OP(x, __builtin_shufflevector(x, x, 2,3,4,5,6,7,8,9,10,11,12,13,14,15,0,1)); x = OP(x, __builtin_shufflevector(x, x, 1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,0)); 
JT_TYPE(b8) JT_MEMORY_load(b8, i32) JT_MEMORY_load_part(b8, i32)
JT_TYPE(f32) JT_MEMORY_load(f32, f32) JT_MEMORY_load_part(f32, f32) JT_MEMORY_store(f32, f32) JT_MEMORY_store_part(f32, f32)

__attribute__((visibility("default"))) void jitney_kernel(const jitney_args* a, i64 begin, i64 end) {
  const i64* n = a->numbers;
  const b8* in0 = a->pointers[0];
  const f32* in1 = a->pointers[1];
  f32* out0 = a->pointers[2];
  const i64 e0 = n[0];
  const i64 e1 = n[1];
  const i64 e2 = n[2];
  i64 rest = begin;
  i64 i2 = rest % e2; rest /= e2;
  i64 i1 = rest % e1; rest /= e1;
  i64 i0 = rest;
  while (begin < end) {
    const i64 stop = e2 - i2 < end - begin ? e2 : i2 + (end - begin);
    begin += stop - i2;
    const b8* p0 = in0 + n[5] + i0*n[3] + i1*n[4];
    const f32* p1 = in1 + n[8] + i0*n[6] + i1*n[7];
    f32* p2 = out0 + n[11] + i0*n[9] + i1*n[10];
    for (; i2 + JT_LANES <= stop; i2 += JT_LANES) {
      const i32v t0 = jt_load_b8(p0 + i2);
      const f32v t1 = jt_load_f32(p1 + i2);
      const f32v t3 = jt_where(t0, t1, (f32v)((f32)(-1000000000.0f)));
      jt_store_f32(p2 + i2, t3);
    }
    if (i2 < stop) {
      const i64 m = stop - i2;
      const i32v t0 = jt_load_part_b8(p0 + i2, m);
      const f32v t1 = jt_load_part_f32(p1 + i2, m);
      const f32v t3 = jt_where(t0, t1, (f32v)((f32)(-1000000000.0f)));
      jt_store_part_f32(p2 + i2, t3, m);
    }
    i2 = 0;
    if (++i1 == e1) { i1 = 0; ++i0; }
  }
}
