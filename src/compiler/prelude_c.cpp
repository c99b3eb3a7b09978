// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "compiler/prelude_c.h"

namespace jitney::compiler {

std::string_view prelude_c() {
  static constexpr std::string_view text =
#include "compiler/prelude_c.inc"
      ;
  return text;
}

}  // namespace jitney::compiler
