// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

// The whole of cudnn-frontend, which takes half a minute to compile: to be included by few files.
#define NV_CUDNN_FRONTEND_USE_DYNAMIC_LOADING
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wall"
#pragma GCC diagnostic ignored "-Wextra"
#include <cudnn_frontend.h>
#pragma GCC diagnostic pop

#include <cuda.h>

#include <string>

#include "util/expected.h"

namespace jitney::backend::cuda {

/// Opens cuDNN for the frontend. Error(environment) with what to install. Thread-safe.
Status open_cudnn();

/// What a plan with compiled kernels in it is bound to: versions of cuDNN, of the CUDA that it was built with, of the
/// driver and of the frontend that writes plans down. cuDNN is open.
const std::string& cudnn_identity();

/// This thread's handle for the current context, set to the stream. open_cudnn() was successful.
Expected<cudnnHandle_t> cudnn_handle(CUstream stream);

/// One sentence about a failure of the frontend, or nothing.
Status check(cudnn_frontend::error_t error, const char* what);

}  // namespace jitney::backend::cuda
