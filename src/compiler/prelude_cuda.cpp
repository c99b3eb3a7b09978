// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "compiler/prelude_cuda.h"

namespace jitney::compiler {

std::string_view prelude_cuda() {
  static constexpr std::string_view kText =
#include "compiler/prelude_cuda.inc"
      ;
  return kText;
}

}  // namespace jitney::compiler
