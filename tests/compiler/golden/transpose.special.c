// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
// Generated; see tests/compiler/test_golden.cpp.

#define JT_LANES 16
#define JT_FOLD_STEPS(OP, x) x = OP(x, __builtin_shufflevector(x, x, 8,9,10,11,12,13,14,15,0,1,2,3,4,5,6,7)); x = OP(x, __builtin_shufflevector(x, x, 4,5,6,7,8,9,10,11,12,13,14,15,0,1,2,3)); x = OP(x, __builtin_shufflevector(x, x, 2,3,4,5,6,7,8,9,10,11,12,13,14,15,0,1)); x = OP(x, __builtin_shufflevector(x, x, 1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,0)); 
JT_TYPE(f32) JT_MEMORY_gather(f32, f32) JT_MEMORY_store(f32, f32)

__attribute__((visibility("default"))) void jitney_kernel(const jitney_args* a, i64 begin, i64 end) {
  const i64* n = a->numbers;
  const f32* in0 = a->pointers[0];
  f32* out0 = a->pointers[1];
  const i64 e0 = ((i64)3);
  const i64 e1 = ((i64)6);
  const i64 e2 = ((i64)128);
  i64 rest = begin;
  i64 i2 = rest % e2; rest /= e2;
  i64 i1 = rest % e1; rest /= e1;
  i64 i0 = rest;
  while (begin < end) {
    const i64 stop = e2 - i2 < end - begin ? e2 : i2 + (end - begin);
    begin += stop - i2;
    const f32* p0 = in0 + ((i64)0) + i0*((i64)768) + i1*((i64)1);
    f32* p1 = out0 + ((i64)0) + i0*((i64)768) + i1*((i64)128);
    for (; i2 + JT_LANES <= stop; i2 += JT_LANES) {
      const f32v t0 = jt_gather_f32(p0 + i2*((i64)6), ((i64)6), JT_LANES);
      jt_store_f32(p1 + i2, t0);
    }
    i2 = 0;
    if (++i1 == e1) { i1 = 0; ++i0; }
  }
}
