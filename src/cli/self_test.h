// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace jitney::cli {

struct SelfTest {
  bool works = false;   ///< a kernel was compiled, and gave the right values
  std::string message;  ///< one sentence
};

/// Compiles and runs y = x + x on the CPU in this process, with no cache: what every model needs. Throws nothing.
SelfTest test_cpu();

}  // namespace jitney::cli
