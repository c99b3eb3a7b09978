// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "backend/cuda/own_kernels.h"

namespace jitney::backend::cuda {

Expected<KernelHandle> OwnKernels::get(int device, const std::string& name, const std::string& source,
                                       PlanServices& services) {
  const std::lock_guard lock(mutex_);
  KernelHandle& handle = loaded_[{device, source}];
  if (handle != 0) return handle;
  JITNEY_TRY(const auto binary, services.compile(name, source));
  JITNEY_TRY(const ModuleHandle module, backend_.load(device, binary));
  auto kernel = backend_.kernel(device, module, "jitney_kernel");
  if (!kernel) {
    backend_.unload(device, module);
    return tl::unexpected(kernel.error());
  }
  return handle = *kernel;
}

}  // namespace jitney::backend::cuda
