// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
// Generated; see tests/compiler/test_golden.cpp.

#define JT_LANES 16
#define JT_FOLD_STEPS(OP, x) x = OP(x, __builtin_shufflevector(x, x, 8,9,10,11,12,13,14,15,0,1,2,3,4,5,6,7)); x = OP(x, __builtin_shufflevector(x, x, 4,5,6,7,8,9,10,11,12,13,14,15,0,1,2,3)); x = OP(x, __builtin_shufflevector(x, x, 2,3,4,5,6,7,8,9,10,11,12,13,14,15,0,1)); x = OP(x, __builtin_shufflevector(x, x, 1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,0)); 
JT_TYPE(f32) JT_MEMORY_load(f32, f32) JT_MEMORY_get(f32, f32) JT_MEMORY_store(f32, f32)

__attribute__((visibility("default"))) void jitney_kernel(const jitney_args* a, i64 begin, i64 end) {
  const i64* n = a->numbers;
  const f32* in0 = a->pointers[0];
  const f32* in1 = a->pointers[1];
  const f32* in2 = a->pointers[2];
  f32* out0 = a->pointers[3];
  const i64 e0 = ((i64)384);
  const i64 e1 = ((i64)48);
  i64 rest = begin;
  i64 i1 = rest % e1; rest /= e1;
  i64 i0 = rest;
  while (begin < end) {
    const i64 stop = e1 - i1 < end - begin ? e1 : i1 + (end - begin);
    begin += stop - i1;
    const f32* p0 = in0 + ((i64)0) + i0*((i64)48);
    const f32* p1 = in1 + ((i64)0) + i0*((i64)0);
    const f32* p2 = in2 + ((i64)0) + i0*((i64)1);
    f32* p3 = out0 + ((i64)0) + i0*((i64)48);
    for (; i1 + JT_LANES <= stop; i1 += JT_LANES) {
      const f32v t0 = jt_load_f32(p0 + i1);
      const f32v t1 = jt_load_f32(p1 + i1);
      const f32v t2 = t0 + t1;
      const f32 t3 = jt_get_f32(p2);
      const f32v t4 = t2 * (f32v)(t3);
      const f32v t5 = jt_relu(t4);
      jt_store_f32(p3 + i1, t5);
    }
    i1 = 0;
    ++i0;
  }
}
