// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include <jitney/export.h>

#include <cstdio>
#include <cstdlib>

#include "backend/cuda/cuda_backend.h"
#include "backend/cuda/fake_driver.h"

/// The CUDA backend with a GPU that is none: JITNEY_FAKE_GPU is "90 132", its compute capability and how many
/// multiprocessors it has. Kernels are loaded by name and do nothing. For processes that use one thread.
namespace {

using namespace jitney::backend;

Backend* create() {
  auto* fake = new cuda::FakeDriver;  // never destroyed, like the backend
  fake->devices = 1;
  fake->kernels["jitney_kernel"] = [](const cuda::FakeDriver::Launch&) {};
  const char* gpu = std::getenv("JITNEY_FAKE_GPU");
  if (gpu != nullptr && std::sscanf(gpu, "%d %d", &fake->capability, &fake->multiprocessors) != 2) return nullptr;
  return new cuda::CudaBackend(cuda::open_fake);
}

}  // namespace

extern "C" {
JITNEY_EXPORT extern const PluginEntry jitney_backend_plugin = {kBackendAbiVersion, JITNEY_VERSION, create};
}
