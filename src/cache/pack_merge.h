// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <optional>
#include <string_view>
#include <vector>

#include "cache/entry_table.h"
#include "cache/pack.h"
#include "cache/packed_file.h"

/// What a save makes of a table and of a file's bytes, wherever they come from and go to.
namespace jitney::cache {

/// One entry of what will be written.
struct PackRow {
  std::span<const std::byte> bytes;
  std::uint64_t used = 0;
  bool in_use = false;  ///< in the table: it is not evicted
  EntryTable::Packed owner;
};
using PackRows = std::map<std::string_view, PackRow>;

/// The rows of `items`, each packed; they hold views of the items' keys.
Expected<PackRows> rows_of(EntryTable& table, const std::vector<EntryTable::Item>& items, const Hmac* signer);

/// Error(user) for what must not be overwritten.
Status check_kind(const PackContents& contents, const std::string& path);

/// The union of the rows and of what the file holds, as bytes to be written; nothing when the file has it all and is
/// good. `report` says what was found and done.
Expected<std::optional<std::vector<std::byte>>> merge_pack(const std::string& path, PackRows rows,
                                                           const std::optional<std::vector<std::byte>>& file,
                                                           const PackedOptions& options, PackedReport& report);

/// Adds what a file holds to a table.
Expected<PackedReport> add_pack(const std::string& path, const std::vector<std::byte>& file, EntryTable& table,
                                const PackedOptions& options);

}  // namespace jitney::cache
