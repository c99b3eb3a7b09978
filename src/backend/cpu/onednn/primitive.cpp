// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "backend/cpu/onednn/primitive.h"

#include "backend/cpu/onednn/fork_gate.h"
#include "backend/cpu/team.h"

namespace jitney::backend::onednn {

Expected<std::shared_ptr<const PlannedPrimitive>> PlannedPrimitive::plan(const LibraryCall& call, int threads,
                                                                         const Packed* preferred) {
  JITNEY_TRY(auto recipe, make_recipe(call));
  const std::shared_ptr<PlannedPrimitive> primitive(new PlannedPrimitive(std::move(recipe), threads));
  const Recipe& r = primitive->recipe_;
  if (r.is_empty) return primitive;
  const TeamScope scope(threads);
  Layout layout;
  if (preferred != nullptr && r.constant_weights) layout.desc = preferred->desc();
  JITNEY_TRY(primitive->team_, make_program(r, layout));
  // Where there are two ways, the first run says which one it takes.
  auto& team = *primitive->team_;
  if (team.apart && team.in_place) return primitive;
  JITNEY_CHECK((team.apart ? team.apart : team.in_place)->compile());
  return primitive;
}

Expected<const Program*> PlannedPrimitive::alone() const {
  if (threads_ == 1 || team_ == nullptr) return team_.get();
  const ForkGate gate;
  const std::lock_guard lock(mutex_);
  if (!alone_) {
    const TeamScope scope(1);
    JITNEY_TRY(alone_, make_program(recipe_, {.desc = team_->weights.get(), .is_fixed = team_->weights != nullptr}));
  }
  return alone_.get();
}

}  // namespace jitney::backend::onednn
