// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "compiler/worker/nvrtc_library.h"

#include <dlfcn.h>

#include <algorithm>

#include "util/env.h"

namespace jitney::compiler {
namespace {

constexpr const char* kNames[] = {"libnvrtc.so.13",
                                  "libnvrtc.so.12",
                                  "libnvrtc.so",
                                  "/usr/local/cuda/lib64/libnvrtc.so.13",
                                  "/usr/local/cuda/lib64/libnvrtc.so.12",
                                  "/usr/local/cuda/lib64/libnvrtc.so"};

std::string loader_message() {
  const char* text = ::dlerror();
  return text ? text : "unknown";
}

template <class F>
bool find(void* library, const char* name, F*& function, std::string& missing) {
  function = reinterpret_cast<F*>(::dlsym(library, name));
  if (!function && missing.empty()) missing = name;
  return function != nullptr;
}

Expected<NvrtcLibrary> resolve(void* handle, std::string path) {
  NvrtcLibrary n;
  n.path = std::move(path);
  std::string missing;
  find(handle, "nvrtcVersion", n.version, missing);
  find(handle, "nvrtcGetNumSupportedArchs", n.get_num_supported_archs, missing);
  find(handle, "nvrtcGetSupportedArchs", n.get_supported_archs, missing);
  find(handle, "nvrtcGetErrorString", n.get_error_string, missing);
  find(handle, "nvrtcCreateProgram", n.create_program, missing);
  find(handle, "nvrtcDestroyProgram", n.destroy_program, missing);
  find(handle, "nvrtcCompileProgram", n.compile_program, missing);
  find(handle, "nvrtcGetPTXSize", n.get_ptx_size, missing);
  find(handle, "nvrtcGetPTX", n.get_ptx, missing);
  find(handle, "nvrtcGetCUBINSize", n.get_cubin_size, missing);
  find(handle, "nvrtcGetCUBIN", n.get_cubin, missing);
  find(handle, "nvrtcGetProgramLogSize", n.get_log_size, missing);
  find(handle, "nvrtcGetProgramLog", n.get_log, missing);
  if (!missing.empty()) {
    return environment_error("'{}' is not NVRTC 12 or newer: it does not define '{}'", n.path, missing);
  }
  if (n.version(&n.major, &n.minor) != NVRTC_SUCCESS || n.major < 12) {
    return environment_error("'{}' is NVRTC {}.{}; NVRTC 12 or newer is needed", n.path, n.major, n.minor);
  }
  int count = 0;
  if (n.get_num_supported_archs(&count) == NVRTC_SUCCESS && count > 0) {
    n.architectures.resize(static_cast<std::size_t>(count));
    if (n.get_supported_archs(n.architectures.data()) != NVRTC_SUCCESS) n.architectures.clear();
  }
  if (n.architectures.empty()) return environment_error("'{}' does not say what it compiles for", n.path);
  std::sort(n.architectures.begin(), n.architectures.end());
  return n;
}

}  // namespace

Expected<NvrtcLibrary> open_nvrtc() {
  if (auto path = env_path("JITNEY_NVRTC")) {
    void* handle = ::dlopen(path->c_str(), RTLD_NOW | RTLD_LOCAL);
    if (!handle) return environment_error("NVRTC cannot be loaded as JITNEY_NVRTC says: {}", loader_message());
    return resolve(handle, *path);
  }
  for (const char* name : kNames) {
    if (void* handle = ::dlopen(name, RTLD_NOW | RTLD_LOCAL)) return resolve(handle, name);
  }
  return environment_error(
      "NVRTC was not found: neither libnvrtc.so.13 nor libnvrtc.so.12 is in the loader's path or in /usr/local/cuda; "
      "set JITNEY_NVRTC to its path");
}

}  // namespace jitney::compiler
