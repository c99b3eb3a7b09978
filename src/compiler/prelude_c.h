// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace jitney::compiler {

/// What every generated C source begins with, after JT_LANES and JT_FOLD_STEPS are defined.
std::string_view prelude_c();

}  // namespace jitney::compiler
