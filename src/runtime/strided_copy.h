// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <jitney/tensor.h>

#include <map>
#include <memory>
#include <mutex>

#include "runtime/kernel_set.h"

namespace jitney::runtime {

/// Makes tensors on a device contiguous there, by one small kernel for each size of element, compiled when it is first
/// wanted and cached like any other. Where there is no kernel (another language, no compiler, more than 8 dimensions)
/// by way of the host, which waits for the stream. Thread-safe.
class StridedCopy {
 public:
  StridedCopy(Target target, std::shared_ptr<cache::RuntimeCache> cache)
      : target_(std::move(target)), cache_(std::move(cache)) {}

  /// Row-major bytes of `view` at `to`, in the order of `stream`. Strides of any sign.
  Status copy(const TensorView& view, void* to, backend::StreamHandle stream);

  static constexpr std::size_t kRank = 8;

 private:
  backend::KernelHandle kernel(std::size_t element_bytes);
  Status copy_by_host(const TensorView& view, void* to, backend::StreamHandle stream);

  const Target target_;
  const std::shared_ptr<cache::RuntimeCache> cache_;
  std::mutex mutex_;
  std::map<std::size_t, std::unique_ptr<KernelSet>> kernels_;  ///< by element size
};

}  // namespace jitney::runtime
