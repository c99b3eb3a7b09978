// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <stop_token>

#include "util/expected.h"

namespace jitney::runtime {

class CallSet;
struct Plan;

/// What can be done about library calls while nobody waits for them. Thread-safe.
class CallsAhead {
 public:
  virtual ~CallsAhead() = default;
  /// The plan's calls as good as they get, where those that it has were planned at once; null where they are that good,
  /// and those of a plan that had none are planned with it.
  /// Both keep the process' Pace until `stop`.
  virtual Expected<std::shared_ptr<const CallSet>> better_calls(const Plan& plan, const std::stop_token& stop) = 0;
  /// Gets ready for shapes other than the plan's, so that they can be planned at once.
  virtual void rehearse(const Plan& plan, const std::stop_token& stop) = 0;
};

}  // namespace jitney::runtime
