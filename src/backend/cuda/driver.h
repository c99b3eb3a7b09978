// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cuda.h>

#include "util/expected.h"

// clang-format off: it does not agree with itself on where the backslashes go
/// The functions of the CUDA driver that this backend calls, without their prefix. Each is resolved under the very name
/// that the header gives it ("cuMemAlloc_v2"), so that what is called is what was declared, whatever the driver's
/// version. All of them are in every driver since CUDA 12.0.
#define JITNEY_CUDA_FUNCTIONS(X) \
  X(Init) \
  X(DriverGetVersion) \
  X(GetErrorName) \
  X(GetErrorString) \
  X(DeviceGetCount) \
  X(DeviceGet) \
  X(DeviceGetName) \
  X(DeviceGetAttribute) \
  X(DeviceTotalMem) X(DevicePrimaryCtxRetain) X(DevicePrimaryCtxRelease) X(CtxGetCurrent) X(CtxSetCurrent) \
      X(MemGetInfo) X(MemAlloc) X(MemFree) X(MemAllocFromPoolAsync) X(MemFreeAsync) X(MemPoolCreate) X(MemPoolDestroy) \
          X(MemPoolSetAttribute) X(MemHostAlloc) X(MemFreeHost) X(MemHostGetDevicePointer) X(PointerGetAttribute) \
              X(MemcpyHtoDAsync) X(MemcpyDtoHAsync) X(MemcpyDtoDAsync) X(StreamCreate) X(StreamDestroy) \
                  X(StreamSynchronize) X(StreamWaitEvent) X(StreamIsCapturing) X(StreamBeginCapture) \
                      X(StreamEndCapture) X(ThreadExchangeStreamCaptureMode) X(EventCreate) X(EventRecord) \
                          X(EventDestroy) X(ModuleLoadData) X(ModuleUnload) X(ModuleGetFunction) X(LaunchKernel) \
                              X(GraphInstantiate) X(GraphLaunch) X(GraphDestroy) X(GraphExecDestroy) \
                                  X(GraphExecKernelNodeSetParams) X(GraphKernelNodeGetParams) X(StreamGetId)
// clang-format on

namespace jitney::backend::cuda {

/// A table of the driver's functions; tests fill one with their own.
struct Driver {
#define JITNEY_CUDA_MEMBER(name) decltype(&::cu##name) name = nullptr;
  JITNEY_CUDA_FUNCTIONS(JITNEY_CUDA_MEMBER)
#undef JITNEY_CUDA_MEMBER
  /// cuStreamGetCaptureInfo_v2, whose successors have other arguments and are not in all drivers.
  CUresult(CUDAAPI* StreamGetCaptureInfo)(CUstream, CUstreamCaptureStatus*, cuuint64_t* id, CUgraph*,
                                          const CUgraphNode**, std::size_t*) = nullptr;
  // Not in all drivers: null there.
  /// cuStreamGetCaptureInfo_v3, which also tells of programmatic edges.
  CUresult(CUDAAPI* StreamGetCaptureInfo3)(CUstream, CUstreamCaptureStatus*, cuuint64_t* id, CUgraph*,
                                           const CUgraphNode**, const CUgraphEdgeData**, std::size_t*) = nullptr;
  decltype(&::cuStreamGetGreenCtx) StreamGetGreenCtx = nullptr;
  decltype(&::cuLaunchKernelEx) LaunchKernelEx = nullptr;
  decltype(&::cuModuleGetGlobal_v2) ModuleGetGlobal = nullptr;
  decltype(&::cuGreenCtxStreamCreate) GreenCtxStreamCreate = nullptr;
};

/// Opens libcuda.so.1, which is never closed. Error(environment), one sentence, where there is none or one older than
/// CUDA 12.0.
Expected<Driver> open_driver();

}  // namespace jitney::backend::cuda
