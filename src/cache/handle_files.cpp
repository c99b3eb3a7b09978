// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
// What a handle loads, saves, gives and takes as a whole.
#include <algorithm>

#include "cache/handle.h"
#include "cache/pack.h"
#include "cache/settings.h"
#include "util/log.h"

namespace jitney::cache {

Expected<PackedOptions> Handle::packed_options() const {
  std::lock_guard lock(mutex_);
  if (refusal_) return environment_error("the cache '{}' is not used: {}", options_.path, *refusal_);
  PackedOptions options;
  options.timeout = options_.lock_timeout;
  options.signer = options_.store.signer.get();
  options.max_bytes = options_.store.max_bytes;
  return options;
}

Status Handle::load_packed_file(const std::string& path) {
  JITNEY_TRY(const auto options, packed_options());
  const bool is_own = path == options_.path;
  const bool was_clean = table_->changes() == saved_changes_;
  JITNEY_TRY(const auto report, load_packed(path, *table_, options));
  if (is_own && was_clean) saved_changes_ = table_->changes();
  count([&](Stats& s) {
    s.loaded += report.added;
    s.damaged += report.damaged;
    if (report.unauthenticated != 0) s.misses[Miss::unauthenticated] += report.unauthenticated;
  });
  return {};
}

Status Handle::load_store(const std::string& path) {
  JITNEY_TRY(const auto from, StoreFiles::open(path, options_.store, false));
  if (!from) return {};
  for (const auto& file : from->list()) {
    const auto bytes = from->read_file(file);
    const auto entry = bytes ? verify_entry(*bytes, options_.store.signer.get()) : tl::unexpected(Miss::unreadable);
    const bool is_new =
        entry &&
        table_->insert_packed(entry->key, *bytes, static_cast<std::uint64_t>(std::max<std::int64_t>(file.used, 0)));
    count([&](Stats& s) { ++(is_new ? s.loaded : entry ? s.hits : s.damaged); });
  }
  return {};
}

Status Handle::load(const std::optional<std::string>& from) {
  const bool is_own = !from || *from == options_.path;
  const std::string& path = from ? *from : options_.path;
  switch (is_own ? options_.form : form_of(path)) {
    case Form::memory: return {};
    case Form::store: return is_own ? open() : load_store(path);
    case Form::packed: return load_packed_file(path);
  }
  return {};
}

Status Handle::save_to_store(StoreFiles& store) {
  for (const auto& item : table_->items()) {
    const auto key = Key::parse(item.key);
    if (!key) continue;
    // What is there already, and good, stays.
    if (store.read(*key, false)) continue;
    JITNEY_TRY(const auto entry, table_->packed(item, store.options().signer.get()));
    JITNEY_CHECK(store.write_entry(*key, *entry));
  }
  return {};
}

Status Handle::save(const std::optional<std::string>& to) {
  const bool is_own = !to || *to == options_.path;
  const std::string& path = to ? *to : options_.path;
  const auto changes = table_->changes();
  use();  // pending bytes are part of what is saved
  switch (is_own ? options_.form : form_of(path)) {
    case Form::memory: return {};
    case Form::store: {
      if (is_own) {
        JITNEY_CHECK(open());
        return save_to_store(*store());
      }
      if (table_->empty()) return {};
      JITNEY_TRY(const auto store, StoreFiles::open(path, options_.store));
      return save_to_store(*store);
    }
    case Form::packed: {
      JITNEY_TRY(const auto options, packed_options());
      JITNEY_TRY(const auto report, save_packed(path, *table_, options));
      if (is_own) saved_changes_ = std::max<std::uint64_t>(saved_changes_, changes);
      count([&](Stats& s) {
        s.evicted += report.evicted;
        if (report.written) ++s.published;
      });
      return {};
    }
  }
  return {};
}

void Handle::autosave() noexcept {
  try {
    if (options_.form == Form::memory) return;
    // A fork copies locks that other threads held, and nobody in the child gives them back.
    if (!table_->is_free() || !std::unique_lock(mutex_, std::try_to_lock)) return;
    // A store that publishes has everything; a clean packed file, too.
    if (options_.form == Form::store && options_.publishes) return;
    if (options_.form == Form::packed && table_->changes() == saved_changes_) return;
    if (const Status saved = save(std::nullopt); !saved) {
      count([](Stats& s) { ++s.publish_failures; });
      log_info("{}", saved.error().message);
    }
  } catch (...) {
    // Best effort: out of memory at exit is nobody's concern.
  }
}

std::vector<std::byte> Handle::serialize() {
  const auto items = table_->items();
  {
    std::lock_guard lock(mutex_);
    if (items.empty()) return pending_;
  }
  use();
  PackWriter writer;
  for (const auto& item : table_->items()) {
    const auto packed = table_->packed(item, options_.store.signer.get());
    if (packed) writer.add(**packed, item.used);
  }
  return writer.take();
}

Status Handle::add_pack(std::span<const std::byte> bytes) {
  const PackContents contents = read_pack(bytes, options_.store.signer.get());
  if (contents.kind == PackContents::Kind::foreign) return user_error("these bytes are no runtime cache of Jitney's");
  if (contents.kind == PackContents::Kind::newer)
    return user_error("these bytes are a runtime cache in a format that this Jitney does not know");
  std::uint64_t added = 0;
  for (const auto& item : contents.items) added += table_->insert_packed(item.entry.key, item.bytes, item.used);
  count([&](Stats& s) {
    s.loaded += added;
    s.damaged += contents.damaged;
    if (contents.unauthenticated != 0) s.misses[Miss::unauthenticated] += contents.unauthenticated;
  });
  return {};
}

Status Handle::deserialize(std::span<const std::byte> bytes) {
  if (bytes.empty()) return {};
  const auto kind = read_pack(bytes, options_.store.signer.get()).kind;
  const bool is_known = kind == PackContents::Kind::pack;
  {
    std::lock_guard lock(mutex_);
    if (is_known && !used_ && pending_.empty() && table_->empty()) {
      pending_.assign(bytes.begin(), bytes.end());
      return {};
    }
  }
  return add_pack(bytes);
}

Status Handle::merge(Handle& other) {
  if (&other == this) return {};
  return deserialize(other.serialize());
}

Expected<std::uint64_t> Handle::prune(std::uint64_t max_bytes) {
  std::uint64_t removed = table_->prune(max_bytes);
  if (options_.form == Form::store) {
    JITNEY_CHECK(open());
    removed += store()->evict(max_bytes).bytes;
  } else if (options_.form == Form::packed) {
    JITNEY_TRY(auto options, packed_options());
    options.max_bytes = max_bytes;
    JITNEY_TRY(const auto report, prune_packed(options_.path, options));
    count([&](Stats& s) { s.evicted += report.evicted; });
  }
  return removed;
}

}  // namespace jitney::cache
