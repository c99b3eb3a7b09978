// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
/* A second binary, with a kernel of the same name as one in the first. */
#include <stdint.h>

typedef struct {
  void* const* pointers;
  const int64_t* numbers;
  int32_t* fault;
} Args;

void identify(const Args* a, int64_t begin, int64_t end) { *(int32_t*)a->pointers[0] = 2; }
