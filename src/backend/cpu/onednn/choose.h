// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include "backend/cpu/onednn/recipe.h"

namespace jitney::backend::onednn {

/// Makes a description; with each call the same one anew.
using Create = std::function<Expected<Description>()>;

/// The implementation to take of those that oneDNN lists, of which create() gives the first. The order is its own but
/// for a few cases in which it was measured to be wrong, or no better and dearer to prepare.
Expected<Description> choose(const Create& create, const Recipe& recipe);

}  // namespace jitney::backend::onednn
