// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <jitney/error.h>

namespace jitney::cli {

/// What the command's exit code means; the list that --help prints (main.cpp) says the same.
enum ExitCode : int {
  kOk = 0,
  kInternal = 1,      ///< a bug in Jitney
  kUsage = 2,         ///< something in the request: options, model, shape or file
  kEnvironment = 3,   ///< something in the surroundings: device, disk, memory or compiler
  kInterrupted = 130  ///< by SIGINT, as shells count it
};

constexpr ExitCode exit_code(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::user: return kUsage;
    case ErrorKind::environment: return kEnvironment;
    case ErrorKind::internal: break;
  }
  return kInternal;
}

}  // namespace jitney::cli
