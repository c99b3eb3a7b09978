// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>

#include "cache/entry_table.h"

/// A packed cache on disk (pack.h says what is in it), with `PATH.lock` beside it: shared while it is read, exclusive
/// while it is merged into. It appears by rename, whole or not at all. The file must be a regular one that belongs to
/// this user or root and that nobody else may write to, in a folder to which place.h's rules for ancestors apply.
namespace jitney::cache {

struct PackedOptions {
  std::chrono::milliseconds timeout{10'000};  ///< for the lock
  std::chrono::milliseconds poll{50};
  const Hmac* signer = nullptr;
  /// At saving, entries that are not in the table go, least recently used first, until the file is no larger.
  std::uint64_t max_bytes = std::numeric_limits<std::uint64_t>::max();
  bool durable = true;
};

struct PackedReport {
  bool found = false;    ///< there was a file
  bool written = false;  ///< saving only: something was missing in it
  std::uint64_t added = 0, damaged = 0, unauthenticated = 0, evicted = 0;
  std::uint64_t bytes = 0;  ///< of the file, as read or as written
};

/// Adds the file's good entries to the table. A missing file is none. Error(user) when it is not Jitney's or of a newer
/// format; Error(environment) when it may not be trusted, cannot be read, or somebody else holds the lock all the time.
Expected<PackedReport> load_packed(const std::string& path, EntryTable& table, const PackedOptions& options);

/// Makes the file the union of itself and the table. Makes missing folders. An empty table changes nothing. Damaged
/// entries of the file are dropped. Fails like load_packed, and also when there is no lock to be had; the file is then
/// as it was.
Expected<PackedReport> save_packed(const std::string& path, EntryTable& table, const PackedOptions& options);

/// Removes entries of the file, least recently used first, until it is no larger than this.
Expected<PackedReport> prune_packed(const std::string& path, const PackedOptions& options);

}  // namespace jitney::cache
