// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "cache/entry_table.h"

namespace jitney::cache {

/// The path in one form, whatever it was called by: absolute, without "." and "..", links resolved where they exist.
std::string canonical_path(const std::string& path);

/// The table that all sharing handles on a path have, for as long as one of them lives.
std::shared_ptr<EntryTable> shared_table(const std::string& path);

}  // namespace jitney::cache
