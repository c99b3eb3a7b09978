// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

namespace jitney {

/// Bytes this process could ever use: the machine's memory, or less where its control group is limited.
/// Asked once a process. Thread-safe.
std::size_t usable_memory();

/// The most bytes that this process had in memory at once; 0 where the system does not say. Thread-safe.
std::size_t peak_memory();

}  // namespace jitney
