// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include <jitney/cudagraphs_mode.h>

#include <atomic>
#include <mutex>

#include "util/stacked.h"

namespace jitney {
namespace {

struct Modes {
  std::mutex mutex;
  Stacked<CudaGraphsMode> wanted{CudaGraphsMode::standard};  // guarded by mutex
  std::atomic<CudaGraphsMode> in_force{CudaGraphsMode::standard};

  void changed() { in_force.store(wanted.top(), std::memory_order_release); }
};

/// Never destroyed: scopes may be static objects.
Modes& modes() {
  static auto& instance = *new Modes;
  return instance;
}

}  // namespace

CudaGraphsMode cudagraphs_mode() noexcept { return modes().in_force.load(std::memory_order_acquire); }

void set_cudagraphs_mode(CudaGraphsMode mode) noexcept {
  auto& m = modes();
  const std::lock_guard lock(m.mutex);
  m.wanted.base = mode;
  m.changed();
}

CudaGraphsModeScope::CudaGraphsModeScope(CudaGraphsMode mode) {
  auto& m = modes();
  const std::lock_guard lock(m.mutex);
  id_ = m.wanted.add(mode);
  m.changed();
}

CudaGraphsModeScope::~CudaGraphsModeScope() {
  auto& m = modes();
  const std::lock_guard lock(m.mutex);
  m.wanted.remove(id_);
  m.changed();
}

}  // namespace jitney
