// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <jitney/session.h>

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "engine/structured_model.h"

namespace jitney::runtime {

/// The sessions of an engine with sequences or optionals: one for each structure of its inputs, with the settings that
/// the engine's own session has when a run begins. Thread-safe.
class StructuredSessions {
 public:
  /// One run. Throws Error.
  std::vector<Value> run(Session& parent, std::span<const ValueView> inputs);
  /// Adds up what they count.
  void add_to(ContextStats& stats) const;

 private:
  struct Kept {
    std::shared_ptr<Session> session;
    std::uint64_t last_use = 0;
  };
  std::shared_ptr<Session> session_for(Session& parent, const std::shared_ptr<const engine::StructuredEngine>& engine);

  mutable std::mutex mutex_;
  std::map<std::shared_ptr<const engine::StructuredEngine>, Kept> kept_;
  std::uint64_t uses_ = 0;
};

/// A run of an engine of tensors, whose outputs become the model's again.
std::vector<Value> run_tensors(Session& session, std::span<const TensorView> inputs,
                               std::span<const engine::OutputForm> outputs);

}  // namespace jitney::runtime
