// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

/// NVTX ranges in the domain "jitney", for Nsight Systems. Nothing where the headers were not there when this was
/// built. Thread-safe.
namespace jitney {

/// Whether a tool listens: it names its library in NVTX_INJECTION64_PATH.
bool nvtx_is_wanted();
/// Opens a range on this thread, named "category: title"; text is cut at 180 bytes.
void nvtx_push(std::string_view category, std::string_view title);
/// Closes the thread's innermost.
void nvtx_pop();

}  // namespace jitney
