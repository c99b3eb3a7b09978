// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace jitney::backend::cuda {

/// Whether cuDNN can be opened, without what cudnn_library.h takes to compile. Thread-safe; opens it.
bool cudnn_is_available();
/// Why not, one sentence; "" when it is there.
std::string cudnn_problem();

}  // namespace jitney::backend::cuda
