// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "backend/cuda/cudnn_library.h"

#include <dlfcn.h>

#include <map>

#include "backend/cuda/cudnn_available.h"

// The frontend looks its functions up in here.
namespace cudnn_frontend {
void* cudnn_dlhandle = nullptr;
}

namespace jitney::backend::cuda {

Status open_cudnn() {
  static const Status opened = []() -> Status {
    for (const char* name : {"libcudnn.so.9", "libcudnn.so"})
      if ((cudnn_frontend::cudnn_dlhandle = ::dlopen(name, RTLD_NOW | RTLD_LOCAL))) return {};
    return environment_error(
        "cuDNN 9 was not found ({}): convolutions run in generated kernels, which are slower; install the package "
        "nvidia-cudnn-cu13 or NVIDIA's libcudnn9",
        ::dlerror());
  }();
  return opened;
}

namespace {

/// One thread's handles, one for each context. Left alone at the thread's end when the driver is gone already.
struct Handles {
  std::map<CUcontext, cudnnHandle_t> of;
  ~Handles() {
    for (auto [context, handle] : of) cudnn_frontend::detail::destroy_handle(handle);
  }
};

/// A function of the driver, which is open already, or null.
template <typename F>
F* driver_function(const char* name) {
  return reinterpret_cast<F*>(::dlsym(::dlopen("libcuda.so.1", RTLD_NOW | RTLD_LOCAL), name));
}

}  // namespace

Expected<cudnnHandle_t> cudnn_handle(CUstream stream) {
  thread_local Handles handles;
  static const auto current = driver_function<CUresult(CUcontext*)>("cuCtxGetCurrent");
  CUcontext context = nullptr;
  if (current == nullptr || current(&context) != CUDA_SUCCESS || context == nullptr)
    return internal_error("no CUDA context is current");
  cudnnHandle_t& handle = handles.of[context];
  if (handle == nullptr && cudnn_frontend::detail::create_handle(&handle) != CUDNN_STATUS_SUCCESS)
    return environment_error("cuDNN cannot be initialized on this device");
  if (cudnn_frontend::detail::set_stream(handle, reinterpret_cast<cudaStream_t>(stream)) != CUDNN_STATUS_SUCCESS)
    return environment_error("cuDNN refuses the stream");
  return handle;
}

const std::string& cudnn_identity() {
  static const std::string identity = [] {
    int driver = 0;
    const auto ask = driver_function<CUresult(int*)>("cuDriverGetVersion");
    if (ask == nullptr || ask(&driver) != CUDA_SUCCESS) driver = 0;
    const auto cudart =
        reinterpret_cast<std::size_t (*)()>(::dlsym(cudnn_frontend::cudnn_dlhandle, "cudnnGetCudartVersion"));
    return fmt::format("cudnn {} for CUDA {}, driver {}, frontend {}", cudnn_frontend::detail::get_backend_version(),
                       cudart == nullptr ? 0 : cudart(), driver, CUDNN_FRONTEND_VERSION);
  }();
  return identity;
}

Status check(cudnn_frontend::error_t error, const char* what) {
  if (error.is_good()) return {};
  return environment_error("{} failed: {}", what, error.get_message());
}

bool cudnn_is_available() { return open_cudnn().has_value(); }

std::string cudnn_problem() {
  const Status opened = open_cudnn();
  return opened ? "" : opened.error().message;
}

}  // namespace jitney::backend::cuda
