// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

namespace jitney {

/// Bytes this process could ever use: the machine's memory, or less where its control group is limited.
/// Asked once a process. Thread-safe.
std::size_t usable_memory();

}  // namespace jitney
