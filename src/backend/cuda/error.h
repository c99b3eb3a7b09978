// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <utility>

#include "backend/cuda/driver.h"
#include "util/expected.h"

namespace jitney::backend::cuda {

/// Error(environment): the call, the error's name and meaning, and what was asked, in one sentence. After an error that
/// destroys the process' CUDA context it says that as well.
Failure describe(const Driver& driver, CUresult result, const char* call, const std::string& what);

/// Nothing when the call succeeded. `what` completes "... failed with ... while": "copying 12 bytes on cuda:0".
template <class... A>
Status check(const Driver& driver, CUresult result, const char* call, fmt::format_string<A...> what, A&&... arguments) {
  if (result == CUDA_SUCCESS) [[likely]]
    return {};
  return tl::unexpected(describe(driver, result, call, fmt::format(what, std::forward<A>(arguments)...)));
}

}  // namespace jitney::backend::cuda
