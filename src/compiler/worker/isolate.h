// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <cstdint>

#include "util/expected.h"

namespace jitney::compiler {

struct IsolateOptions {
  pid_t parent = 0;               ///< the process that this one must not outlive
  std::int64_t memory_limit = 0;  ///< bytes of address space; 0: none
  int background = 0;             ///< 1: at idle priority
  int keep_fd = 0;                ///< the socket; it and the three standard descriptors stay open
};

/// Makes this process a guest that disturbs nobody: no inherited descriptors, default signals (but writing into a
/// closed pipe or past the limit on file sizes is an error, no death, and Ctrl-C is the application's), a modest
/// priority, no core files, first in line when memory runs out, no current directory held, gone with its parent, and
/// confined (util/confine.h).
Status isolate(const IsolateOptions& options);

}  // namespace jitney::compiler
