// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include <jitney/error.h>
#include <jitney/execution_context.h>

#include <fmt/format.h>

#include "util/env.h"

namespace jitney {

Tactics default_tactics() {
  const auto name = env_string("JITNEY_TACTICS");
  if (!name || *name == "heuristic") return Tactics::heuristic;
  if (*name == "timed") return Tactics::timed;
  throw Error(ErrorKind::user, fmt::format("Invalid JITNEY_TACTICS: '{}'. Expected one of [heuristic, timed]", *name));
}

}  // namespace jitney
