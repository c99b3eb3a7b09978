// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cuda.h>

#include <memory>
#include <span>

#include "backend/backend.h"
#include "backend/cuda/tuning.h"

/// Convolutions by cuDNN's graph API, with bias, one addend and ReLU or a clip in the same kernel. cuDNN is opened when
/// the first one is planned; nothing links to it.
namespace jitney::backend::cuda {

class CudnnConvolution : public Primitive {
 public:
  bool is_reference() const override { return false; }
  /// pointers: the call's operands in its order, the weights as pack_filter() gives them. Thread-safe: each thread has
  /// a handle of its own.
  virtual Status run(std::span<void* const> pointers, const void* filter, void* scratch, CUstream stream) const = 0;
};

/// Whether cuDNN has such a convolution. Extents of -1 are unknown and do not speak against it.
bool is_for_cudnn(const ConvolutionCall& call);

/// The device's context is current. Error(environment) when cuDNN is missing or has no engine for the call; the
/// sentence says what to install.
Expected<std::shared_ptr<const CudnnConvolution>> plan_convolution(const ConvolutionCall& call, const Tuning& tuning);

/// Weights of any strides as [o, k..., c/groups], which is what channels-last convolutions read. Host memory, both.
void pack_filter(const ConvolutionCall& call, const void* from, void* to);
std::size_t filter_bytes(const ConvolutionCall& call);

}  // namespace jitney::backend::cuda
