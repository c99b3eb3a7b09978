// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "backend/cuda/driver.h"

#include <dlfcn.h>

#include <string>

// Two steps, so that the header's renaming macros apply before the name becomes a string.
#define JITNEY_CUDA_STRING2(x) #x
#define JITNEY_CUDA_STRING(x) JITNEY_CUDA_STRING2(x)

namespace jitney::backend::cuda {
namespace {

constexpr int kOldest = 12000;

template <class F>
void find(void* library, const char* name, F*& function, std::string& missing) {
  function = reinterpret_cast<F*>(dlsym(library, name));
  if (function == nullptr && missing.empty()) missing = name;
}

}  // namespace

Expected<Driver> open_driver() {
  void* library = dlopen("libcuda.so.1", RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    const char* why = dlerror();
    return environment_error("there is no NVIDIA driver: {}", why == nullptr ? "libcuda.so.1 cannot be loaded" : why);
  }
  Driver driver;
  std::string missing;
#define JITNEY_CUDA_FIND(name) find(library, JITNEY_CUDA_STRING(cu##name), driver.name, missing);
  JITNEY_CUDA_FUNCTIONS(JITNEY_CUDA_FIND)
#undef JITNEY_CUDA_FIND
  find(library, "cuStreamGetCaptureInfo_v2", driver.StreamGetCaptureInfo, missing);
  std::string optional;
  find(library, "cuStreamGetCaptureInfo_v3", driver.StreamGetCaptureInfo3, optional);
  find(library, "cuStreamGetGreenCtx", driver.StreamGetGreenCtx, optional);
  find(library, "cuGreenCtxStreamCreate", driver.GreenCtxStreamCreate, optional);
  find(library, "cuLaunchKernelEx", driver.LaunchKernelEx, optional);
  find(library, "cuModuleGetGlobal_v2", driver.ModuleGetGlobal, optional);
  int version = 0;
  if (driver.DriverGetVersion != nullptr && driver.DriverGetVersion(&version) == CUDA_SUCCESS && version < kOldest) {
    return environment_error("the NVIDIA driver supports CUDA {}.{}; 12.0 or newer is needed", version / 1000,
                             version % 1000 / 10);
  }
  if (!missing.empty()) return environment_error("the NVIDIA driver's libcuda.so.1 does not define '{}'", missing);
  return driver;
}

}  // namespace jitney::backend::cuda
