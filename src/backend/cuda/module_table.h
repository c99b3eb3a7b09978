// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <unordered_map>
#include <utility>

#include "backend/backend.h"
#include "backend/cuda/driver.h"

namespace jitney::backend::cuda {

/// Modules of one device and the kernels found in them. Handles are numbers that are never used again: one of a module
/// that was unloaded gives an error, not a crash. Thread-safe; nothing of the driver is called in here.
class ModuleTable {
 public:
  ModuleHandle add(CUmodule module);
  /// Forgets the module and its kernels, once no launch is inside. Null when it is not there.
  CUmodule remove(ModuleHandle module);
  /// Any module that is left; null when none is.
  CUmodule remove_any();
  /// Error(internal) for a stale module.
  Expected<CUmodule> find(ModuleHandle module) const;
  /// The same name gives the same handle. `overlaps`: it may be started before what it follows is done.
  Expected<KernelHandle> add_kernel(ModuleHandle module, const std::string& symbol, CUfunction function, bool overlaps);

  /// Keeps the kernel's module while it lives: for the microseconds of a launch. Launches do not wait for each other.
  struct Use {
    std::shared_lock<std::shared_mutex> lock;
    CUfunction function = nullptr;
    bool overlaps = false;
  };
  /// Error(internal) for a stale kernel.
  Expected<Use> use(KernelHandle kernel) const;

 private:
  struct Module {
    CUmodule module;
    std::map<std::string, KernelHandle> kernels;
  };
  mutable std::shared_mutex mutex_;
  std::uintptr_t last_ = 0;
  std::map<ModuleHandle, Module> modules_;
  struct Kernel {
    CUfunction function = nullptr;
    bool overlaps = false;
  };
  std::unordered_map<KernelHandle, Kernel> kernels_;
};

}  // namespace jitney::backend::cuda
