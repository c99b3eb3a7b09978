// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

namespace jitney::cli {

/// Copies /proc/self/maps to the file that the environment variable JITNEY_DUMP_MAPS names, if there is one: tests
/// read there which libraries a process had mapped. Only the first call does it. Warns when it cannot be written.
void dump_maps_if_asked();

}  // namespace jitney::cli
