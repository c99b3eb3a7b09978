// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include <jitney/export.h>

#include "backend/null/null_backend.h"

namespace {

using namespace jitney::backend;

NullBackend& instance() {
  // Never destroyed: threads may still use it while the process ends.
  static auto* backend = new NullBackend;
  return *backend;
}

}  // namespace

extern "C" {

JITNEY_EXPORT extern const PluginEntry jitney_backend_plugin = {kBackendAbiVersion, JITNEY_VERSION,
                                                                []() -> Backend* { return &instance(); }};

JITNEY_EXPORT extern const NullHooks jitney_null_hooks = {
    [](NullCall call, std::int64_t nth) { instance().fail_call(call, nth); }, [] { return instance().counters(); },
    [](EventHandle event, StreamHandle stream) { return instance().is_ordered(event, stream); }};
}
