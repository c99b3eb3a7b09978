// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace jitney::compiler {

/// What stands before every generated CUDA kernel. Self-contained: it includes nothing.
std::string_view prelude_cuda();

}  // namespace jitney::compiler
