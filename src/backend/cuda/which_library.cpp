// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "backend/cuda/which_library.h"

#include <sstream>

#include "backend/cuda/attention_kernel.h"
#include "backend/cuda/cudnn_attention.h"
#include "backend/cuda/cudnn_convolution.h"
#include "backend/cuda/product.h"
#include "util/env.h"

namespace jitney::backend::cuda {

Library library_for(const LibraryCall& call) {
  if (const auto* m = std::get_if<MatMulCall>(&call)) return product_of(*m) ? Library::cublaslt : Library::none;
  if (const auto* c = std::get_if<ConvolutionCall>(&call)) return is_for_cudnn(*c) ? Library::cudnn : Library::none;
  if (const auto* a = std::get_if<AttentionCall>(&call))
    return is_for_cudnn(*a) ? Library::cudnn : is_attention_in_f32(*a) ? Library::own : Library::none;
  return Library::none;
}

Expected<AllowedLibraries> allowed_libraries() {
  const auto text = env_string("JITNEY_CUDA_LIBRARIES");
  if (!text) return AllowedLibraries{};
  AllowedLibraries allowed{.cublaslt = false, .cudnn = false};
  if (*text == "none") return allowed;
  std::istringstream words(*text);
  for (std::string word; std::getline(words, word, ',');) {
    if (word == "cublaslt")
      allowed.cublaslt = true;
    else if (word == "cudnn")
      allowed.cudnn = true;
    else
      return user_error("JITNEY_CUDA_LIBRARIES is '{}'; allowed is cublaslt, cudnn, cublaslt,cudnn or none", *text);
  }
  return allowed;
}

}  // namespace jitney::backend::cuda
