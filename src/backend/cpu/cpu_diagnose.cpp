// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include <dlfcn.h>

#include "backend/cpu/cpu_backend.h"
#include "backend/cpu/cpu_target.h"
#include "util/env.h"
#include "util/threads.h"

#ifndef JITNEY_TSAN
extern "C" void GOMP_parallel(void (*function)(void*), void* data, unsigned threads, unsigned flags);
#endif

namespace jitney::backend {
namespace {

std::string thread_runtime() {
#ifdef JITNEY_TSAN
  return "threads: started for each launch (a ThreadSanitizer build)";
#else
  // Another OpenMP runtime that was loaded first may offer libgomp's entries too, and then it is the one in use.
  Dl_info info{};
  const bool found = dladdr(reinterpret_cast<void*>(&GOMP_parallel), &info) != 0 && info.dli_fname != nullptr;
  return fmt::format("threads: OpenMP from {}", found ? info.dli_fname : "an unknown library");
#endif
}

}  // namespace

std::vector<std::string> CpuBackend::diagnose() const {
  std::vector<std::string> lines;
  const auto info = device_info(0);
  if (info) {
    lines.push_back(info->name);
    lines.push_back(fmt::format("code for {}, vectors of {} bytes", info->target_key, info->vector_bytes));
  } else {
    lines.push_back(info.error().message);
  }
  if (env_string("JITNEY_CPU_TARGET")) {
    lines.push_back(fmt::format("JITNEY_CPU_TARGET is set; this CPU has {}", to_string(detect_cpu_target())));
  }
  lines.push_back(fmt::format("cores this process may use: {}", usable_cores()));
  lines.push_back(thread_runtime());
  lines.emplace_back("denormal numbers: flushed to zero while kernels run");
  lines.push_back(LibraryCalls::diagnose());
  return lines;
}

}  // namespace jitney::backend
