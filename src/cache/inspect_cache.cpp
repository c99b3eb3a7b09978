// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "cache/inspect_cache.h"

#include <algorithm>
#include <filesystem>
#include <system_error>

#include "cache/describe_entry.h"
#include "cache/settings.h"

namespace jitney::cache {
namespace {

Status add_store(Inspection& result, const std::shared_ptr<const Hmac>& signer) {
  JITNEY_TRY(const auto store, StoreFiles::open(result.path, {.signer = signer}, /*make=*/false));
  if (!store) return {};
  result.exists = true;
  result.writable = store->writable();
  result.path = store->path();
  for (const auto& file : store->list()) {
    const std::string where = file.folder + "/" + file.name;
    const auto bytes = store->read_file(file);
    result.bytes += file.bytes;
    if (!bytes) {
      result.bad.push_back({where, std::generic_category().message(bytes.error())});
      continue;
    }
    const auto entry = verify_entry(*bytes, signer.get());
    const auto blob = entry ? unpack_entry(*entry) : tl::unexpected(entry.error());
    if (blob) {
      result.entries.push_back(describe_entry(*entry, file.bytes, file.used));
    } else {
      result.bad.push_back({where, std::string(to_string(blob.error()))});
    }
  }
  return {};
}

Status add_packed(Inspection& result, const std::shared_ptr<const Hmac>& signer) {
  EntryTable table;
  JITNEY_TRY(const auto report, load_packed(result.path, table, {.signer = signer.get()}));
  result.exists = report.found;
  result.writable = true;
  result.bytes = report.bytes;
  for (const auto& item : table.items()) {
    const auto entry = verify_entry(*item.packed);
    if (entry && unpack_entry(*entry)) {
      result.entries.push_back(describe_entry(item));
    } else {
      result.bad.push_back({"", std::string(to_string(Miss::damaged))});
    }
  }
  if (report.damaged != 0) result.bad.push_back({"", std::string(to_string(Miss::damaged)), report.damaged});
  if (report.unauthenticated != 0)
    result.bad.push_back({"", std::string(to_string(Miss::unauthenticated)), report.unauthenticated});
  return {};
}

}  // namespace

Expected<Inspection> inspect_cache(const std::string& path) {
  JITNEY_TRY(const auto signer, signer_from_environment());
  Inspection result;
  result.form = form_of(path);
  result.path = path;
  JITNEY_CHECK(result.form == Form::store ? add_store(result, signer) : add_packed(result, signer));
  return result;
}

Expected<StoreFiles::Removal> prune_cache(const std::string& path, std::uint64_t max_bytes, bool keep_used) {
  JITNEY_TRY(const auto signer, signer_from_environment());
  StoreFiles::Removal removal;
  if (form_of(path) == Form::store) {
    JITNEY_TRY(const auto store, StoreFiles::open(path, {.signer = signer}, /*make=*/false));
    if (store && !store->writable()) return environment_error("the cache '{}' is read-only for this user", path);
    if (store) removal = store->evict(max_bytes, keep_used);
    return removal;
  }
  EntryTable before;
  JITNEY_TRY(const auto report, load_packed(path, before, {.signer = signer.get()}));
  if (!report.found) return removal;
  JITNEY_TRY(const auto pruned, prune_packed(path, {.signer = signer.get(), .max_bytes = max_bytes}));
  removal.files = pruned.evicted;
  removal.bytes_left = pruned.bytes;
  removal.bytes = report.bytes - std::min(report.bytes, pruned.bytes);
  return removal;
}

Expected<std::uint64_t> copy_cache(const std::string& from, const std::string& to, Form to_form) {
  auto table = Handle::make({.path = "", .form = Form::memory, .store = {}});
  if (std::error_code error; !std::filesystem::exists(from, error)) return user_error("there is no cache '{}'", from);
  JITNEY_CHECK(table->load(from));
  std::string target = to;
  if (to_form == Form::store && target.back() != '/') target += '/';
  if (to_form == Form::packed && form_of(target) == Form::store)
    return user_error("'{}' is a folder; a packed cache needs the name of a file", to);
  JITNEY_CHECK(table->save(target));
  return table->table().items().size();
}

}  // namespace jitney::cache
