// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "cache/packed_file.h"

#include <utility>

#include "cache/packed_disk.h"

namespace jitney::cache {

FileLock::Options packed_lock(FileLock::Mode mode, const PackedOptions& options) {
  return {.mode = mode, .timeout = options.timeout, .poll = options.poll};
}

Expected<PackedReport> save_packed(const std::string& path, EntryTable& table, const PackedOptions& options) {
  const auto items = table.items();
  if (items.empty()) return PackedReport();
  JITNEY_TRY(auto rows, rows_of(table, items, options.signer));
  return rewrite_packed(path, std::move(rows), options);
}

}  // namespace jitney::cache
