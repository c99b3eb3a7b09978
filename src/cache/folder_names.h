// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

namespace jitney::cache {

/// What lies in an open folder, but for "." and "..". Empty where it cannot be read.
std::vector<std::string> names_in(int folder);

}  // namespace jitney::cache
