// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include <jitney/export.h>

namespace jitney {

/// How this process uses CUDA graphs beyond what the settings of single engines say.
enum class CudaGraphsMode : std::uint8_t {
  standard = 0,               ///< each engine does what its settings say
  subgraph_cudagraphs = 1,    ///< every engine captures what it launches
  whole_graph_cudagraphs = 2  ///< a wrapper around a whole model captures its engines and what lies between them
};

/// The mode in force: of the newest CudaGraphsModeScope that lives, else what was set. Thread-safe, one atomic load.
JITNEY_EXPORT CudaGraphsMode cudagraphs_mode() noexcept;
/// The mode outside of all scopes. An engine that runs under `subgraph_cudagraphs` and was not asked to capture changes
/// its own settings to `whole_graph_capture`, which they stay afterwards. Thread-safe.
JITNEY_EXPORT void set_cudagraphs_mode(CudaGraphsMode mode) noexcept;

/// Another mode for as long as it lives, in all threads. Scopes may end in any order.
class JITNEY_EXPORT CudaGraphsModeScope {
 public:
  explicit CudaGraphsModeScope(CudaGraphsMode mode);
  ~CudaGraphsModeScope();
  CudaGraphsModeScope(const CudaGraphsModeScope&) = delete;
  CudaGraphsModeScope& operator=(const CudaGraphsModeScope&) = delete;

 private:
  std::uint64_t id_;
};

}  // namespace jitney
