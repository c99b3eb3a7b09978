// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

namespace jitney::backend::cuda {

/// Begins to open cuBLASLt and cuDNN on a thread of its own: 60 and 80 ms, while driver and context come up in 220.
/// Whoever needs a library sooner waits for it. Does nothing from the second call on; never fails: who needs them is
/// told what is missing. Thread-safe.
void preload_libraries();

}  // namespace jitney::backend::cuda
