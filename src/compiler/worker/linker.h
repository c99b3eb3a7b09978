// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "util/expected.h"

namespace jitney::compiler {

/// A relocatable ELF object to a shared object, with LLD, through memory files: no file system is touched.
/// Undefined symbols (memcpy, memset) are left for the process that loads it.
Expected<std::vector<std::byte>> link_shared_object(std::span<const char> object);

}  // namespace jitney::compiler
