// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "util/expected.h"

namespace jitney::compiler {

/// The absolute path of a compiler worker. A given path comes first, then the environment variable (ignored in a
/// setuid program), then the folder "jitney" beside the library and beside the program, in the build tree as after
/// installation. The failure names every place that was looked at.
Expected<std::string> find_worker(const std::string& given, const char* variable, std::string_view program);

}  // namespace jitney::compiler
