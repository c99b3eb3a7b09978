// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace jitney::backend {

/// The processor's name as its maker wrote it ("AMD EPYC 9354"), or the architecture where it has none.
std::string cpu_model_name();

}  // namespace jitney::backend
