// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cuda.h>

#include <memory>
#include <span>

#include "backend/backend.h"
#include "backend/cuda/tuning.h"

/// Attention by cuDNN's fused kernels, for f16 and bf16.
namespace jitney::backend::cuda {

class CudnnAttention : public Primitive {
 public:
  bool is_reference() const override { return false; }
  /// pointers: the call's operands in its order. Thread-safe.
  virtual Status run(std::span<void* const> pointers, void* scratch, CUstream stream) const = 0;
};

/// Whether cuDNN has such an attention: rank 3 or 4, heads of up to 128 elements in multiples of 8, one type for all.
/// Extents of -1 are unknown and do not speak against it, but for those of the heads.
bool is_for_cudnn(const AttentionCall& call);

/// The device's context is current. Error(environment) when cuDNN is missing or has no engine for the call.
Expected<std::shared_ptr<const CudnnAttention>> plan_attention(const AttentionCall& call, const Tuning& tuning);

}  // namespace jitney::backend::cuda
