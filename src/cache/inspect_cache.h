// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <jitney/runtime_cache.h>

#include <string>
#include <vector>

#include "cache/handle.h"

namespace jitney::cache {

/// What lies at a path, read anew and verified.
struct Inspection {
  struct Bad {
    std::string where;  ///< a file in a store; "" in a packed file, which does not tell
    std::string reason;
    std::uint64_t count = 1;
  };

  Form form = Form::packed;
  std::string path;
  bool exists = false, writable = false;
  std::vector<CacheEntry> entries;
  std::vector<Bad> bad;
  std::uint64_t bytes = 0;  ///< of all files
};

/// Unpacks every entry, too. Error like StoreFiles::open() and load_packed(); a missing cache is none.
Expected<Inspection> inspect_cache(const std::string& path);

/// Removes entries, least recently used first, until no more than this is left; `keep_used`: but none that a process
/// uses now. Gives what went.
Expected<StoreFiles::Removal> prune_cache(const std::string& path, std::uint64_t max_bytes, bool keep_used);

/// Adds all entries of one cache to another, whatever their forms. Gives how many the source has.
Expected<std::uint64_t> copy_cache(const std::string& from, const std::string& to, Form to_form);

}  // namespace jitney::cache
