// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
/* Kernels as the CPU backend calls them, in plain C so that any compiler makes them. */
#include <stdint.h>

typedef struct {
  void* const* pointers;
  const int64_t* numbers;
  int32_t* fault;
} Args;

/* hits[i - first] += 1 for every iteration; calls += 1 a call */
void count(const Args* a, int64_t begin, int64_t end) {
  int32_t* hits = a->pointers[0];
  for (int64_t i = begin; i < end; ++i) __atomic_fetch_add(&hits[i - a->numbers[0]], 1, __ATOMIC_RELAXED);
  __atomic_fetch_add((int64_t*)a->pointers[1], 1, __ATOMIC_RELAXED);
}

/* the shortest range that any call got, in a cell that starts large */
void shortest(const Args* a, int64_t begin, int64_t end) {
  int64_t* cell = a->pointers[0];
  int64_t seen = __atomic_load_n(cell, __ATOMIC_RELAXED);
  while (end - begin < seen &&
         !__atomic_compare_exchange_n(cell, &seen, end - begin, 0, __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
  }
}

/* y = x * 2; a denormal x stays what it is unless denormals are flushed */
void twice(const Args* a, int64_t begin, int64_t end) {
  const volatile float* x = a->pointers[0];
  volatile float* y = a->pointers[1];
  for (int64_t i = begin; i < end; ++i) y[i] = x[i] * 2.0f;
}

/* needs libm without naming it */
float tanf(float);
float atanf(float);
void tangent(const Args* a, int64_t begin, int64_t end) {
  const float* x = a->pointers[0];
  float* y = a->pointers[1];
  for (int64_t i = begin; i < end; ++i) y[i] = tanf(x[i]) + atanf(x[i]);
}

/* tells that it runs, then waits until it may end */
void hold(const Args* a, int64_t begin, int64_t end) {
  int32_t* cells = a->pointers[0];
  __atomic_store_n(&cells[0], 1, __ATOMIC_RELEASE);
  while (__atomic_load_n(&cells[1], __ATOMIC_ACQUIRE) == 0) {
  }
}

void report_fault(const Args* a, int64_t begin, int64_t end) { __atomic_store_n(a->fault, 1, __ATOMIC_RELAXED); }

void identify(const Args* a, int64_t begin, int64_t end) { *(int32_t*)a->pointers[0] = 1; }
