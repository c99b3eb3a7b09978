// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
// Generated; see tests/compiler/test_golden.cpp.

#define JT_LANES 16
#define JT_FOLD_STEPS(OP, x) x = OP(x, __builtin_shufflevector(x, x, 8,9,10,11,12,13,14,15,0,1,2,3,4,5,6,7)); x = OP(x, __builtin_shufflevector(x, x, 4,5,6,7,8,9,10,11,12,13,14,15,0,1,2,3)); x = OP(x, __builtin_shufflevector(x, x, 2,3,4,5,6,7,8,9,10,11,12,13,14,15,0,1)); x = OP(x, __builtin_shufflevector(x, x, 1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,0)); 
JT_TYPE(f32) JT_MEMORY_load(f32, f32) JT_MEMORY_load_part(f32, f32) JT_MEMORY_store(f32, f32) JT_MEMORY_stream(f32, f32) JT_MEMORY_store_part(f32, f32)

__attribute__((visibility("default"))) void jitney_kernel(const jitney_args* a, i64 begin, i64 end) {
  const i64* n = a->numbers;
  const f32* in0 = a->pointers[0];
  f32* out0 = a->pointers[1];
  const i64 e0 = n[0];
  i64 rest = begin;
  i64 i0 = rest;
  while (begin < end) {
    const i64 stop = e0 - i0 < end - begin ? e0 : i0 + (end - begin);
    begin += stop - i0;
    const f32* p0 = in0 + n[1];
    f32* p1 = out0 + n[2];
    if (e0 >= 8388608) {
      i64 m = jt_to_aligned(p1 + i0, sizeof(f32));
      if (m > stop - i0) m = stop - i0;
      if (m > 0) {
        const f32v t0 = jt_load_part_f32(p0 + i0, m);
        const f32v t1 = jt_gelu_erf(t0);
        jt_store_part_f32(p1 + i0, t1, m);
      }
      i0 += m;
      for (; i0 + JT_LANES <= stop; i0 += JT_LANES) {
        const f32v t0 = jt_load_f32(p0 + i0);
        const f32v t1 = jt_gelu_erf(t0);
        jt_stream_f32(p1 + i0, t1);
      }
      jt_fence();
    }
    for (; i0 + JT_LANES <= stop; i0 += JT_LANES) {
      const f32v t0 = jt_load_f32(p0 + i0);
      const f32v t1 = jt_gelu_erf(t0);
      jt_store_f32(p1 + i0, t1);
    }
    if (i0 < stop) {
      const i64 m = stop - i0;
      const f32v t0 = jt_load_part_f32(p0 + i0, m);
      const f32v t1 = jt_gelu_erf(t0);
      jt_store_part_f32(p1 + i0, t1, m);
    }
    i0 = 0;
  }
}
