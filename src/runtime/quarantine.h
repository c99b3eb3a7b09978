// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "cache/runtime_cache.h"

namespace jitney::runtime {

/// What the cache remembers about a kernel on which the compiler failed by no passing cause: for a day nobody who
/// shares the cache tries again, afterwards somebody does. The key is the kernel's, and so names the compiler.
struct Quarantine {
  enum class Verdict {
    none,         ///< compile it
    unoptimized,  ///< only without optimization
    hopeless,     ///< not at all: the interpreter stands in
  } verdict = Verdict::none;
  std::string why;
};

Quarantine find_quarantine(cache::RuntimeCache& cache, const cache::Key& kernel);
void put_into_quarantine(cache::RuntimeCache& cache, const cache::Key& kernel, const Quarantine& quarantine);

}  // namespace jitney::runtime
