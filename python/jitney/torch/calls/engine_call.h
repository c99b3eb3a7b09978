// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nanobind/nanobind.h>

#include "jitney/torch/engine.h"

namespace jitney::torch_runtime {

/// torch.ops.jitney.execute_engine for one engine, without the dispatcher's way there, which costs more than a small
/// engine. Thread-safe.
class EngineCall {
 public:
  /// Of the engine behind a number of hand_over(). Throws ValueError where there is none.
  explicit EngineCall(std::int64_t number);

  /// The outputs of Engine::execute() as a list; None where the operator has to be asked instead: an input is not
  /// plain (plain_tensor()), or requires a gradient where those are recorded, or somebody watches or transforms what
  /// runs in this thread. Raises what the operator raises.
  nanobind::object call(nanobind::tuple inputs) const;

 private:
  c10::intrusive_ptr<Engine> engine_;
};

}  // namespace jitney::torch_runtime
