// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "kernel/kernel.h"

namespace jitney::kernel {

/// The kernel of a region that is a single scatter or top_k: what build() does for those. Fails (internal) on others,
/// which the interpreter runs.
Expected<Kernel> build_algorithm(const ir::Node& region, const std::vector<ir::Dim>& input_offsets,
                                 const std::vector<std::vector<ir::Dim>>& input_strides);

}  // namespace jitney::kernel
