// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "compiler/protocol.h"
#include "compiler/worker/nvrtc_library.h"

namespace jitney::compiler {

/// NVRTC's version and a digest of the arguments it is always given: whatever decides the bytes apart from the request.
std::string nvrtc_identity(const NvrtcLibrary& nvrtc);

/// CUDA C++ to a cubin, or to PTX (which ends with a zero byte) where the request's option
/// --gpu-architecture=compute_NN asks for that. An architecture newer than NVRTC knows gives PTX for the newest one
/// that it knows, which the driver of such a device translates; one that is older than all it knows is rejected, with
/// the range that is allowed. The request names exactly one architecture. Nothing is included from files.
/// Rejected: the compile log is the diagnostics.
Result compile_cuda(const NvrtcLibrary& nvrtc, const Request& request);

}  // namespace jitney::compiler
