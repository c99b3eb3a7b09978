// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <jitney/execution_context.h>

namespace jitney::cli {

/// An ExecutionContext. Throws its Error; about a device that is not there, the message also says what there always is.
ExecutionContext open_context(const Engine& engine, const ContextOptions& options);

}  // namespace jitney::cli
