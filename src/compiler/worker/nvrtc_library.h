// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nvrtc.h>

#include <string>
#include <vector>

#include "util/expected.h"

namespace jitney::compiler {

/// NVRTC as it was found on this machine. Only its header is needed to build this; the library is opened by name.
struct NvrtcLibrary {
  int major = 0, minor = 0;
  std::vector<int> architectures;  ///< that it compiles for, ascending: 75, 80, ... 121
  std::string path;                ///< as it was given to the loader

  decltype(&::nvrtcVersion) version = nullptr;
  decltype(&::nvrtcGetNumSupportedArchs) get_num_supported_archs = nullptr;
  decltype(&::nvrtcGetSupportedArchs) get_supported_archs = nullptr;
  decltype(&::nvrtcGetErrorString) get_error_string = nullptr;
  decltype(&::nvrtcCreateProgram) create_program = nullptr;
  decltype(&::nvrtcDestroyProgram) destroy_program = nullptr;
  decltype(&::nvrtcCompileProgram) compile_program = nullptr;
  decltype(&::nvrtcGetPTXSize) get_ptx_size = nullptr;
  decltype(&::nvrtcGetPTX) get_ptx = nullptr;
  decltype(&::nvrtcGetCUBINSize) get_cubin_size = nullptr;
  decltype(&::nvrtcGetCUBIN) get_cubin = nullptr;
  decltype(&::nvrtcGetProgramLogSize) get_log_size = nullptr;
  decltype(&::nvrtcGetProgramLog) get_log = nullptr;
};

/// Opens libnvrtc: exactly the one that JITNEY_NVRTC names if that is set (ignored in a setuid process); else
/// libnvrtc.so.13, .12 or libnvrtc.so where the loader finds it, or in /usr/local/cuda. Error(environment), one
/// sentence, when there is none, or when it is older than 12.0. Never closed.
Expected<NvrtcLibrary> open_nvrtc();

}  // namespace jitney::compiler
