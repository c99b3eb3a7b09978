// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace jitney::compiler {

/// The parts of the prelude (prelude_c.inc) that a generated C source needs, in order. They stand before `code`;
/// JT_LANES and JT_FOLD_STEPS must be defined before them. Pure.
std::string prelude_c_for(std::string_view code);

}  // namespace jitney::compiler
