// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include <jitney/export.h>

#include "backend/cpu/cpu_backend.h"

extern "C" JITNEY_EXPORT extern const jitney::backend::PluginEntry jitney_backend_plugin = {
    jitney::backend::kBackendAbiVersion, JITNEY_VERSION, []() -> jitney::backend::Backend* {
      // Never destroyed: threads may still use it while the process ends.
      return new jitney::backend::CpuBackend;
    }};
