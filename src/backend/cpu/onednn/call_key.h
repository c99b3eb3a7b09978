// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "backend/library_call.h"

namespace jitney::backend::onednn {

/// Bytes that are equal exactly for equal calls.
std::string call_key(const LibraryCall& call);

}  // namespace jitney::backend::onednn
