// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include "backend/backend.h"

namespace jitney::backend::cuda {

/// What a library's choice for one call is made with, and kept by: a *tactic*. A choice is recalled where the cache has
/// it, so that a warm start neither asks the library's heuristics nor times anything.
struct Tuning {
  PlanServices* services = nullptr;  ///< null: the heuristics' choice, which nobody keeps
  Backend* backend = nullptr;        ///< that the candidates are timed on
  int device = 0;
  int multiprocessors = 0;
  std::size_t cache_bytes = 0;  ///< of the chip's last level

  /// Whether a model's weights come out of memory at each run.
  bool has_large_weights() const { return services != nullptr && services->constant_bytes() > cache_bytes * 3 / 4; }
  bool times() const { return services != nullptr && services->times_tactics(); }

  /// The cache's key: what library in which version, and the call. The device's name is added behind the seam.
  std::string key(const std::string& library, const std::string& call) const;
  /// What was kept, without whether it was timed. Nothing where timing is asked for and it was not.
  std::optional<std::string> recall(const std::string& key) const;
  /// `choice`: any bytes.
  void keep(const std::string& key, const std::string& choice, bool was_timed) const;
};

}  // namespace jitney::backend::cuda
