// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cuda.h>

#include <map>
#include <mutex>
#include <span>
#include <string>
#include <utility>

#include "backend/backend.h"

namespace jitney::backend::cuda {

/// A library call that a kernel of this backend does (kernels/), launched like a generated one.
class KernelPrimitive : public Primitive {
 public:
  std::size_t scratch_bytes() const override { return 0; }
  bool is_reference() const override { return false; }
  bool reads_plain_weights() const override { return true; }
  /// pointers: the call's operands in its order. Thread-safe.
  virtual Status run(std::span<void* const> pointers, StreamHandle stream) const = 0;
};

/// The kernels in kernels/, loaded: each source once a device. They stay loaded as long as the process lives.
/// Thread-safe.
class OwnKernels {
 public:
  /// `backend` loads and launches, and outlives this.
  explicit OwnKernels(Backend& backend) : backend_(backend) {}
  OwnKernels(const OwnKernels&) = delete;

  /// Compiles where neither this process nor the cache has it.
  Expected<KernelHandle> get(int device, const std::string& name, const std::string& source, PlanServices& services);
  /// 0 where it is not loaded; waits for nobody.
  KernelHandle loaded(int device, const std::string& source);
  Backend& backend() const { return backend_; }

 private:
  /// Others wait only for the source that they want, too.
  struct Loaded {
    std::mutex mutex;
    KernelHandle handle = 0;
  };

  Backend& backend_;
  std::mutex mutex_;
  std::map<std::pair<int, std::string>, Loaded> loaded_;
};

}  // namespace jitney::backend::cuda
