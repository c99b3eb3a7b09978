// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <jitney/runtime_cache.h>

#include "cache/entry_table.h"

namespace jitney::cache {

/// For people and programs that look into a cache.
CacheEntry describe_entry(const EntryTable::Item& item);
CacheEntry describe_entry(const EntryView& entry, std::uint64_t bytes, std::int64_t last_used);

}  // namespace jitney::cache
