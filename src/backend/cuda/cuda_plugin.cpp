// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include <jitney/export.h>

#include "backend/cuda/absent_gpu.h"
#include "backend/cuda/cuda_backend.h"
#include "util/env.h"

namespace {

using namespace jitney::backend;

// Never destroyed: threads may still use it while the process ends, and the driver may be gone before it.
Backend* create() {
  constexpr const char* kTarget = "JITNEY_CUDA_TARGET";
  if (auto target = jitney::env_string(kTarget)) return new cuda::AbsentGpu(std::move(*target), kTarget);
  return new cuda::CudaBackend;
}

}  // namespace

extern "C" {
JITNEY_EXPORT extern const PluginEntry jitney_backend_plugin = {kBackendAbiVersion, JITNEY_VERSION, create};
}
