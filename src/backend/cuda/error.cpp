// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "backend/cuda/error.h"

namespace jitney::backend::cuda {
namespace {

/// Every later call in the context fails with the same error.
bool is_sticky(CUresult result) {
  switch (result) {
    case CUDA_ERROR_ECC_UNCORRECTABLE:
    case CUDA_ERROR_NVLINK_UNCORRECTABLE:
    case CUDA_ERROR_ILLEGAL_ADDRESS:
    case CUDA_ERROR_LAUNCH_TIMEOUT:
    case CUDA_ERROR_ASSERT:
    case CUDA_ERROR_HARDWARE_STACK_ERROR:
    case CUDA_ERROR_ILLEGAL_INSTRUCTION:
    case CUDA_ERROR_MISALIGNED_ADDRESS:
    case CUDA_ERROR_INVALID_ADDRESS_SPACE:
    case CUDA_ERROR_INVALID_PC:
    case CUDA_ERROR_LAUNCH_FAILED:
    case CUDA_ERROR_CONTEXT_IS_DESTROYED: return true;
    default: return false;
  }
}

}  // namespace

Failure describe(const Driver& driver, CUresult result, const char* call, const std::string& what) {
  const char *name = nullptr, *meaning = nullptr;
  if (driver.GetErrorName(result, &name) != CUDA_SUCCESS || name == nullptr) name = "an unknown error";
  if (driver.GetErrorString(result, &meaning) != CUDA_SUCCESS || meaning == nullptr) meaning = "no explanation";
  std::string message =
      fmt::format("{} failed with {} ({}, {}) while {}", call, name, static_cast<int>(result), meaning, what);
  if (is_sticky(result)) {
    message += "; the CUDA context of this process is lost, only a new process can use the device";
  }
  return {ErrorKind::environment, std::move(message)};
}

}  // namespace jitney::backend::cuda
