// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <jitney/execution_context.h>

namespace jitney::runtime {

/// Adds what another context counts, but nothing of its cache. Memory that a device's backend holds is one number for
/// the process.
void add_counts(ContextStats& to, const ContextStats& other);
/// Of these only what ever grows; not what the other consists of now.
void add_history(ContextStats& to, const ContextStats& other);
/// Adds what another cache counts.
void add_cache_counts(ContextStats& to, const ContextStats& other);
/// What the same cache counts, where one of both was asked later.
void latest_cache_counts(ContextStats& to, const ContextStats& other);

}  // namespace jitney::runtime
