// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "backend/cuda/cublaslt_api.h"

#include <dlfcn.h>

namespace jitney::backend::cuda {
namespace {

template <class F>
bool resolve(void* library, const char* name, F& function) {
  function = reinterpret_cast<F>(::dlsym(library, name));
  return function != nullptr;
}

Expected<CublasLt> open() {
  // By the names of the versions whose headers agree with ours.
  static constexpr const char* kNames[] = {"libcublasLt.so.13", "libcublasLt.so.12", "libcublasLt.so"};
  void* library = nullptr;
  for (const char* name : kNames)
    if ((library = ::dlopen(name, RTLD_NOW | RTLD_LOCAL))) break;
  if (library == nullptr)
    return environment_error(
        "cuBLASLt was not found ({}): matrix products run in generated kernels, which are slower; install the CUDA "
        "toolkit or the package nvidia-cublas",
        ::dlerror());
  CublasLt t{};
  const bool all = resolve(library, "cublasLtCreate", t.create) && resolve(library, "cublasLtGetVersion", t.version) &&
                   resolve(library, "cublasLtGetStatusName", t.status_name) &&
                   resolve(library, "cublasLtMatmul", t.matmul) &&
                   resolve(library, "cublasLtMatmulAlgoGetHeuristic", t.heuristic) &&
                   resolve(library, "cublasLtMatmulAlgoCheck", t.algo_check) &&
                   resolve(library, "cublasLtMatmulDescCreate", t.desc_create) &&
                   resolve(library, "cublasLtMatmulDescDestroy", t.desc_destroy) &&
                   resolve(library, "cublasLtMatmulDescSetAttribute", t.desc_set) &&
                   resolve(library, "cublasLtMatrixLayoutCreate", t.layout_create) &&
                   resolve(library, "cublasLtMatrixLayoutDestroy", t.layout_destroy) &&
                   resolve(library, "cublasLtMatrixLayoutSetAttribute", t.layout_set) &&
                   resolve(library, "cublasLtMatmulPreferenceCreate", t.preference_create) &&
                   resolve(library, "cublasLtMatmulPreferenceDestroy", t.preference_destroy) &&
                   resolve(library, "cublasLtMatmulPreferenceSetAttribute", t.preference_set);
  if (!all) return environment_error("cuBLASLt lacks a function: {}", ::dlerror());
  return t;
}

}  // namespace

Status CublasLt::check(cublasStatus_t status, const char* what) const {
  if (status == CUBLAS_STATUS_SUCCESS) return {};
  return environment_error("{} failed: {}", what, status_name(status));
}

Expected<const CublasLt*> cublaslt() {
  static const Expected<CublasLt> library = open();
  if (!library) return tl::unexpected(library.error());
  return &*library;
}

}  // namespace jitney::backend::cuda
