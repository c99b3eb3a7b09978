// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "support.h"

namespace jitney::compiler::test {

std::string softmax_source() {
  return R"(typedef float f32x16 __attribute__((ext_vector_type(16), aligned(4)));
typedef int i32x16 __attribute__((ext_vector_type(16), aligned(4)));
typedef long long i64;
#define INLINE static inline __attribute__((always_inline))

INLINE f32x16 load16(const float *p) { return *(const f32x16 *)p; }
INLINE void store16(float *p, f32x16 v) { *(f32x16 *)p = v; }

INLINE f32x16 exp16(f32x16 x) {
  x = __builtin_elementwise_min(x, (f32x16)88.37f);
  x = __builtin_elementwise_max(x, (f32x16)-87.33f);
  f32x16 n = __builtin_elementwise_rint(x * 1.44269504f);
  f32x16 r = x - n * 0.693359375f;
  r = r - n * -2.12194440e-4f;
  f32x16 p = 1.9875691500e-4f;
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = p * r * r + r + 1.0f;
  i32x16 e = (__builtin_convertvector(n, i32x16) + 127) << 23;
  union { i32x16 i; f32x16 f; } scale = {e};
  return p * scale.f;
}

INLINE f32x16 masked_load16(const float *p, i64 count, float fill) {
  f32x16 v = fill;
  for (i64 i = 0; i < count; ++i) v[i] = p[i];
  return v;
}

__attribute__((visibility("default")))
void softmax(void *const *pointers, const i64 *numbers, i64 begin, i64 end) {
  const float *restrict x = pointers[0];
  float *restrict y = pointers[1];
  const i64 columns = numbers[0], stride_x = numbers[1], stride_y = numbers[2];
  for (i64 row = begin; row < end; ++row) {
    const float *in = x + row * stride_x;
    float *out = y + row * stride_y;
    f32x16 m = -__builtin_inff();
    i64 i = 0;
    for (; i + 16 <= columns; i += 16) m = __builtin_elementwise_max(m, load16(in + i));
    m = __builtin_elementwise_max(m, masked_load16(in + i, columns - i, -__builtin_inff()));
    float top = __builtin_reduce_max(m);
    f32x16 s = 0.0f;
    for (i = 0; i + 16 <= columns; i += 16) {
      f32x16 e = exp16(load16(in + i) - top);
      store16(out + i, e);
      s += e;
    }
    f32x16 e = exp16(masked_load16(in + i, columns - i, -__builtin_inff()) - top);
    float total = 0.0f;
    for (i64 k = 0; i + k < columns; ++k) { out[i + k] = e[k]; total += e[k]; }
    for (int k = 0; k < 16; ++k) total += s[k];
    float inverse = 1.0f / total;
    for (i = 0; i < columns; ++i) out[i] *= inverse;
  }
}
)";
}

}  // namespace jitney::compiler::test
