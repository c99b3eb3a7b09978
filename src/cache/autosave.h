// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "cache/handle.h"

namespace jitney::cache {

/// Saves the handle (Handle::autosave) when the program ends, if it still lives then. Weakly: it keeps nothing alive.
void autosave_at_exit(const std::shared_ptr<Handle>& handle);

/// The same handle, saved as well when the last owner of what is returned lets go.
std::shared_ptr<RuntimeCache> autosaving(std::shared_ptr<Handle> handle);

}  // namespace jitney::cache
