// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

/// How the CPU backend calls generated code. Part of every compiled kernel: a change here needs a new prelude, and
/// with it new cache keys.
namespace jitney::backend {

/// Shared by all threads of one launch. The prelude of generated C calls it jitney_args.
struct JitneyArgs {
  void* const* pointers;        ///< one an operand
  const std::int64_t* numbers;  ///< extents, strides and offsets
  std::int32_t* fault;          ///< set by a kernel that meets a bad index; may be null where no kernel can
};

/// A kernel: a serial function that does the iterations [begin, end) of its parallel iteration space. Called from
/// several threads at once with disjoint ranges.
using KernelFunction = void (*)(const JitneyArgs* args, std::int64_t begin, std::int64_t end);

}  // namespace jitney::backend
