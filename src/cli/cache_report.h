// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "cache/inspect_cache.h"

/// What `jitney cache` prints: text for people, one JSON object on one line for programs.
namespace jitney::cli {

std::string stats_text(const cache::Inspection& found);
std::string stats_json(const cache::Inspection& found);
std::string list_text(const cache::Inspection& found);
std::string list_json(const cache::Inspection& found);
/// One entry with its whole key.
std::string entry_text(const CacheEntry& entry);
std::string entry_json(const CacheEntry& entry);

}  // namespace jitney::cli
