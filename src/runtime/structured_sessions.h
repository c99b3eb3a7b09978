// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <jitney/session.h>

#include <memory>
#include <span>
#include <vector>

#include "engine/structured_model.h"

namespace jitney::runtime {

/// The sessions of an engine with sequences or optionals: one for each structure of its inputs that the model keeps,
/// with the settings that the engine's own session has when a run begins. Thread-safe.
class StructuredSessions {
 public:
  StructuredSessions();
  ~StructuredSessions();

  /// One run. Throws Error.
  std::vector<Value> run(Session& parent, std::span<const ValueView> inputs);
  /// Adds up what they count, and what those counted that are gone.
  void add_to(ContextStats& stats) const;
  /// Whether one has an execution context, and how many were made so far.
  bool has_context() const;
  int contexts_created() const;
  void invalidate_contexts();
  bool wait_until_specialized(double timeout_seconds);

 private:
  class Kept;
  std::shared_ptr<Session> session_for(Session& parent, const std::shared_ptr<const engine::StructuredEngine>& engine);

  const std::shared_ptr<Kept> kept_;  // which the model tells what it drops
};

/// A run of an engine of tensors, whose outputs become the model's again.
std::vector<Value> run_tensors(Session& session, std::span<const TensorView> inputs,
                               std::span<const engine::OutputForm> outputs);

}  // namespace jitney::runtime
