// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

namespace jitney {

/// How many cores this process may keep busy: those in its affinity mask, at most the control group's CPU quota,
/// rounded up; at least 1. Reads the mask anew, so a changed affinity counts. Thread-safe.
int usable_cores();

}  // namespace jitney
