// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
// Stands in where the build has no headers of cuDNN: it is never there.
#include "backend/cuda/cudnn_attention.h"
#include "backend/cuda/cudnn_available.h"
#include "backend/cuda/cudnn_convolution.h"

namespace jitney::backend::cuda {

bool cudnn_is_available() { return false; }
std::string cudnn_problem() {
  return "this build was made without cuDNN's headers: convolutions run in generated kernels";
}

bool is_for_cudnn(const ConvolutionCall&) { return false; }
Expected<std::shared_ptr<const CudnnConvolution>> plan_convolution(const ConvolutionCall&, const Tuning&) {
  return environment_error("{}", cudnn_problem());
}
void pack_filter(const ConvolutionCall&, const void*, void*) {}
std::size_t filter_bytes(const ConvolutionCall&) { return 0; }

bool is_for_cudnn(const AttentionCall&) { return false; }
Expected<std::shared_ptr<const CudnnAttention>> plan_attention(const AttentionCall&, const Tuning&) {
  return environment_error("{}", cudnn_problem());
}

}  // namespace jitney::backend::cuda
