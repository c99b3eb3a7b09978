// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "backend/cuda/own_kernels.h"

namespace jitney::backend::cuda {

Expected<KernelHandle> OwnKernels::get(int device, const std::string& name, const std::string& source,
                                       PlanServices& services) {
  Loaded* loaded = nullptr;
  {
    const std::lock_guard lock(mutex_);
    loaded = &loaded_[{device, source}];  // its place is its own for good
  }
  const std::lock_guard lock(loaded->mutex);
  if (loaded->handle != 0) return loaded->handle;
  JITNEY_TRY(const auto binary, services.compile(name, source));
  JITNEY_TRY(const ModuleHandle module, backend_.load(device, binary));
  auto kernel = backend_.kernel(device, module, "jitney_kernel");
  if (!kernel) {
    backend_.unload(device, module);
    return tl::unexpected(kernel.error());
  }
  return loaded->handle = *kernel;
}

KernelHandle OwnKernels::loaded(int device, const std::string& source) {
  Loaded* known = nullptr;
  {
    const std::lock_guard lock(mutex_);
    const auto it = loaded_.find({device, source});
    if (it == loaded_.end()) return 0;
    known = &it->second;
  }
  const std::unique_lock lock(known->mutex, std::try_to_lock);
  return lock ? known->handle : 0;
}

}  // namespace jitney::backend::cuda
