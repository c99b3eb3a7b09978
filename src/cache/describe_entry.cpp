// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "cache/describe_entry.h"

namespace jitney::cache {
namespace {

CacheEntry describe_key(std::string_view text) {
  CacheEntry entry;
  entry.key = text;
  if (const auto key = Key::parse(text)) {
    entry.id = key->file_name();
    for (const auto& [name, value] : key->fields()) entry.fields.emplace(name, value);
  }
  return entry;
}

}  // namespace

CacheEntry describe_entry(const EntryView& view, std::uint64_t bytes, std::int64_t last_used) {
  CacheEntry entry = describe_key(view.key);
  entry.creator = view.creator;
  entry.bytes = bytes;
  entry.blob_bytes = view.blob_bytes;
  entry.is_signed = view.is_signed;
  entry.last_used = last_used;
  return entry;
}

CacheEntry describe_entry(const EntryTable::Item& item) {
  const auto used = static_cast<std::int64_t>(item.used);
  if (item.packed) {
    if (const auto view = verify_entry(*item.packed)) return describe_entry(*view, item.packed->size(), used);
  }
  CacheEntry entry = describe_key(item.key);
  entry.last_used = used;
  if (item.blob) entry.bytes = entry.blob_bytes = item.blob->size();
  return entry;
}

}  // namespace jitney::cache
