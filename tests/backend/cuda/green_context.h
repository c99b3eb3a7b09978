// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cuda.h>
#include <dlfcn.h>

#include <memory>

namespace jitney::testing {

/// A part of the multiprocessors of device 0, with a stream on it.
class GreenContext {
 public:
  /// At least so many multiprocessors. Null where the driver has no green contexts. A context is current.
  static std::unique_ptr<GreenContext> make(unsigned multiprocessors) {
    void* library = dlopen("libcuda.so.1", RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) return nullptr;
    const auto find = [&](const char* name, auto& function) {
      function = reinterpret_cast<std::remove_reference_t<decltype(function)>>(dlsym(library, name));
      return function != nullptr;
    };
    decltype(&cuDeviceGetDevResource) get = nullptr;
    decltype(&cuDevSmResourceSplitByCount) split = nullptr;
    decltype(&cuDevResourceGenerateDesc) describe = nullptr;
    decltype(&cuGreenCtxCreate) create = nullptr;
    decltype(&cuGreenCtxStreamCreate) create_stream = nullptr;
    auto made = std::unique_ptr<GreenContext>(new GreenContext);
    if (!find("cuDeviceGetDevResource", get) || !find("cuDevSmResourceSplitByCount", split) ||
        !find("cuDevResourceGenerateDesc", describe) || !find("cuGreenCtxCreate", create) ||
        !find("cuGreenCtxStreamCreate", create_stream) || !find("cuGreenCtxDestroy", made->destroy_) ||
        !find("cuStreamDestroy_v2", made->destroy_stream_))
      return nullptr;
    CUdevResource all{}, part{};
    CUdevResourceDesc description = nullptr;
    unsigned groups = 1;
    if (get(0, &all, CU_DEV_RESOURCE_TYPE_SM) != CUDA_SUCCESS ||
        split(&part, &groups, &all, nullptr, 0, multiprocessors) != CUDA_SUCCESS ||
        describe(&description, &part, 1) != CUDA_SUCCESS ||
        create(&made->context_, description, 0, CU_GREEN_CTX_DEFAULT_STREAM) != CUDA_SUCCESS ||
        create_stream(&made->stream_, made->context_, CU_STREAM_NON_BLOCKING, 0) != CUDA_SUCCESS)
      return nullptr;
    made->multiprocessors_ = part.sm.smCount;
    return made;
  }
  ~GreenContext() {
    if (stream_ != nullptr) destroy_stream_(stream_);
    if (context_ != nullptr) destroy_(context_);
  }
  GreenContext(const GreenContext&) = delete;
  CUstream stream() const { return stream_; }
  unsigned multiprocessors() const { return multiprocessors_; }

 private:
  GreenContext() = default;
  CUgreenCtx context_ = nullptr;
  CUstream stream_ = nullptr;
  unsigned multiprocessors_ = 0;
  decltype(&cuGreenCtxDestroy) destroy_ = nullptr;
  decltype(&cuStreamDestroy) destroy_stream_ = nullptr;
};

}  // namespace jitney::testing
