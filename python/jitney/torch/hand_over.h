// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include "jitney/torch/engine.h"

namespace jitney::torch_runtime {

/// An engine out of a Python object of PyTorch's into a module of another library, which shares no types with PyTorch's
/// bindings: a number to give there, once. Thread-safe.
std::int64_t hand_over(const c10::intrusive_ptr<Engine>& engine);
/// The engine of a number that nobody took yet; null for others.
JITNEY_EXPORT c10::intrusive_ptr<Engine> take_over(std::int64_t number);

}  // namespace jitney::torch_runtime
