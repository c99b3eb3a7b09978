// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "backend/library_call.h"

namespace jitney::backend::cuda {

struct OwnSource {
  std::string name, source;  ///< as PlanServices::compile() takes them
};

/// Of the backend's own kernels, those that planning the call may ask for on a chip of this compute capability, however
/// many multiprocessors it has: chips of one architecture differ in that, and a source may follow from it. One to three
/// for a call that an own kernel does, else none. All extents and strides are known.
std::vector<OwnSource> own_sources(const LibraryCall& call, int compute_capability);

}  // namespace jitney::backend::cuda
