// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "backend/backend.h"
#include "backend/cuda/driver.h"
#include "backend/cuda/kernel_abi.h"

namespace jitney::backend::cuda {

/// The one parameter of a kernel, as kernel_abi.h lays it out. On the stack, and only touched as far as it is used:
/// launching allocates nothing.
class Parameters {
 public:
  Parameters() {}  // NOLINT(modernize-use-equals-default): nothing is to be zeroed
  Parameters(const Parameters&) = delete;
  /// Error(internal) when there are more than fit or counts are negative.
  Status fill(const LaunchArgs& args, CUdeviceptr fault);
  void* data() { return words_.data(); }
  std::size_t bytes() const { return count_ * sizeof(std::uint64_t); }

 private:
  std::array<std::uint64_t, kMaxParameterBytes / sizeof(std::uint64_t)> words_;
  std::size_t count_ = 0;
};

struct Geometry {
  unsigned grid = 0, block = 0;  ///< grid 0: nothing to do
  unsigned parts = 1;            ///< blocks of a cluster, which divides the grid
};

/// Enough blocks for the range, but not more than keep every multiprocessor busy: kernels loop. Where `has_clusters`,
/// few blocks of many rounds become as many clusters. Error(internal) for a block that no device has.
Expected<Geometry> geometry(const LaunchArgs& args, int multiprocessors, bool has_clusters);

}  // namespace jitney::backend::cuda
