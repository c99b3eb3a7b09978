// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "backend/cuda/module_table.h"

namespace jitney::backend::cuda {

ModuleHandle ModuleTable::add(CUmodule module) {
  const std::lock_guard lock(mutex_);
  modules_[++last_].module = module;
  return last_;
}

CUmodule ModuleTable::remove(ModuleHandle module) {
  const std::lock_guard lock(mutex_);
  const auto found = modules_.find(module);
  if (found == modules_.end()) return nullptr;
  for (const auto& [name, kernel] : found->second.kernels) kernels_.erase(kernel);
  CUmodule result = found->second.module;
  modules_.erase(found);
  return result;
}

CUmodule ModuleTable::remove_any() {
  ModuleHandle first = 0;
  {
    const std::shared_lock lock(mutex_);
    if (modules_.empty()) return nullptr;
    first = modules_.begin()->first;
  }
  return remove(first);
}

Expected<CUmodule> ModuleTable::find(ModuleHandle module) const {
  const std::shared_lock lock(mutex_);
  const auto found = modules_.find(module);
  if (found == modules_.end()) return internal_error("a kernel was asked of a module that is not loaded");
  return found->second.module;
}

Expected<KernelHandle> ModuleTable::add_kernel(ModuleHandle module, const std::string& symbol, CUfunction function,
                                               bool overlaps) {
  const std::lock_guard lock(mutex_);
  const auto found = modules_.find(module);
  if (found == modules_.end()) return internal_error("a kernel was asked of a module that is not loaded");
  auto& handle = found->second.kernels[symbol];
  if (handle == 0) handle = ++last_;
  kernels_[handle] = {function, overlaps};
  return handle;
}

Expected<ModuleTable::Use> ModuleTable::use(KernelHandle kernel) const {
  std::shared_lock lock(mutex_);
  const auto found = kernels_.find(kernel);
  if (found == kernels_.end()) return internal_error("a kernel was launched that is not loaded");
  return Use{std::move(lock), found->second.function, found->second.overlaps};
}

}  // namespace jitney::backend::cuda
