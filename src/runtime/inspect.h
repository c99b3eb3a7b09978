// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "runtime/program.h"

namespace jitney::runtime {

/// Graph, kernels and memory plan as text; with `source` the generated code, with names from the model.
std::string inspect(const Program& program, const backend::DeviceInfo& device, bool source);

}  // namespace jitney::runtime
