# Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
# find_package(jitney) gives the target jitney::jitney.
include("${CMAKE_CURRENT_LIST_DIR}/jitney-targets.cmake")
