// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include "backend/library_call.h"
#include "util/expected.h"

/// Which library a call is for. Decided by rules alone, the same wherever a model is lowered: no library is opened and
/// no device asked.
namespace jitney::backend::cuda {

/// own: a kernel of the backend's own, and no library could stand in for it.
enum class Library : std::uint8_t { none, cublaslt, cudnn, own };

/// Extents of -1 are unknown and do not speak against a library.
Library library_for(const LibraryCall& call);

/// What JITNEY_CUDA_LIBRARIES allows calls to be left to, "cublaslt", "cudnn", both with a comma between, or "none";
/// where it is not set, both. With "none" the backend's own kernels are not used, either.
struct AllowedLibraries {
  bool cublaslt = true, cudnn = true;
  bool has(Library library) const {
    switch (library) {
      case Library::none: return false;
      case Library::cublaslt: return cublaslt;
      case Library::cudnn: return cudnn;
      case Library::own: return cublaslt || cudnn;
    }
    return false;
  }
};
/// Error(user) for another word.
Expected<AllowedLibraries> allowed_libraries();

}  // namespace jitney::backend::cuda
