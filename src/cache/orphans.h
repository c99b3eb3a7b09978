// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>

#include "cache/place.h"

namespace jitney::cache {

/// Removes temporary files that killed writers left in the folder: those not written to for an hour before `now`.
/// A writer that is slower than that loses its rename and counts a failed publish. Errors are ignored: an orphan
/// costs space only. Returns how many were removed.
int remove_orphans(const Place& place, std::chrono::system_clock::time_point now);

}  // namespace jitney::cache
