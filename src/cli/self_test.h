// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace jitney::cli {

struct SelfTest {
  bool works = false;   ///< a kernel was compiled, and gave the right values
  std::string message;  ///< one sentence
};

/// Compiles and runs y = x + x in this process, with no cache: what every model needs. On the CPU and on the first GPU,
/// where they are; a GPU that is missing is no fault, nor is a CPU that was left out of the installation beside a GPU.
/// Throws nothing.
SelfTest test_devices();

}  // namespace jitney::cli
