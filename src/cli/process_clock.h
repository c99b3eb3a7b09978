// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

namespace jitney::cli {

/// Milliseconds since this process started. Counted from the program's first static initializer, plus the CPU time
/// that the process had used by then (loading shared libraries): /proc has the start to 10 ms only.
double milliseconds_since_start();

}  // namespace jitney::cli
