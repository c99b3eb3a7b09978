// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "backend/cuda/preload.h"

#include <dlfcn.h>

#include <mutex>
#include <system_error>
#include <thread>

namespace jitney::backend::cuda {

void preload_libraries() {
  static std::once_flag once;
  static std::jthread loading;  // joined at exit: nobody may be inside of a library that is being taken down
  std::call_once(once, [] {
    try {
      loading = std::jthread([] {
        // By name alone, without our own tables: those have locks, which a fork would leave taken. The latter are what
        // cuDNN would open by itself when its first plan is made. Other versions have other parts.
        for (const char* name :
             {"libcublasLt.so.13", "libcudnn.so.9", "libcudnn_graph.so.9", "libcudnn_engines_precompiled.so.9",
              "libcudnn_engines_runtime_compiled.so.9", "libcudnn_heuristic.so.9"})
          ::dlopen(name, RTLD_NOW | RTLD_LOCAL);
      });
    } catch (const std::system_error&) {
      // Then they are opened when they are needed.
    }
  });
}

}  // namespace jitney::backend::cuda
