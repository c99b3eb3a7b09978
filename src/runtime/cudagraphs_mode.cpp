// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include <jitney/cudagraphs_mode.h>

#include <atomic>
#include <mutex>
#include <utility>
#include <vector>

namespace jitney {
namespace {

struct Modes {
  std::mutex mutex;
  CudaGraphsMode base = CudaGraphsMode::standard;
  std::vector<std::pair<std::uint64_t, CudaGraphsMode>> scopes;
  std::uint64_t next_id = 1;
  std::atomic<CudaGraphsMode> in_force{CudaGraphsMode::standard};

  void changed() { in_force.store(scopes.empty() ? base : scopes.back().second, std::memory_order_release); }
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
  m.base = mode;
  m.changed();
}

CudaGraphsModeScope::CudaGraphsModeScope(CudaGraphsMode mode) {
  auto& m = modes();
  const std::lock_guard lock(m.mutex);
  id_ = m.next_id++;
  m.scopes.emplace_back(id_, mode);
  m.changed();
}

CudaGraphsModeScope::~CudaGraphsModeScope() {
  auto& m = modes();
  const std::lock_guard lock(m.mutex);
  std::erase_if(m.scopes, [&](const auto& scope) { return scope.first == id_; });
  m.changed();
}

}  // namespace jitney
