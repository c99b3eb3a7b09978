// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <jitney/execution_context.h>

#include <string>
#include <vector>

namespace jitney::cli {

/// A table: one line a step with its time, its share of the whole, and how fast a library call was.
std::string to_text(const Profile& profile);

}  // namespace jitney::cli
