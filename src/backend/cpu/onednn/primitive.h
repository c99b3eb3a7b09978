// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <mutex>

#include "backend/backend.h"
#include "backend/cpu/onednn/packed.h"
#include "backend/cpu/onednn/program.h"

namespace jitney::backend::onednn {

/// A planned call: its program for a team of threads, and where that cannot run the one for a single thread. Call
/// plan() and everything that plans or compiles inside a ForkGate.
class PlannedPrimitive final : public Primitive {
 public:
  /// `threads`: what team_size() says now. Error(environment) where oneDNN has nothing for the call.
  static Expected<std::shared_ptr<const PlannedPrimitive>> plan(const LibraryCall& call, int threads,
                                                                const Packed* preferred);

  std::size_t scratch_bytes() const override { return team_ ? team_->scratch_bytes : 0; }
  std::string implementation() const override { return team_ ? team_->implementation : "nothing to compute"; }
  bool is_reference() const override { return team_ && team_->is_reference; }

  const Recipe& recipe() const { return recipe_; }
  int threads() const { return threads_; }
  /// Null where there is nothing to compute.
  const Program* team() const { return team_.get(); }
  /// The program for one thread, with the same layout of weights. Planned on the first call; takes a ForkGate itself.
  Expected<const Program*> alone() const;
  /// The layout of packed weights; null where the call has none.
  const_dnnl_memory_desc_t weights() const { return team_ ? team_->weights.get() : nullptr; }

 private:
  PlannedPrimitive(Recipe recipe, int threads) : recipe_(std::move(recipe)), threads_(threads) {}

  Recipe recipe_;
  int threads_;
  std::unique_ptr<Program> team_;
  mutable std::mutex mutex_;
  mutable std::unique_ptr<Program> alone_;
};

}  // namespace jitney::backend::onednn
