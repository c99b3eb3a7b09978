// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#include "cache/entry_table.h"

#include <algorithm>
#include <chrono>

namespace jitney::cache {
namespace {

// How exact the time of last use is: a file is not written anew because of less.
constexpr std::uint64_t kUseGrain = 24 * 3600;

std::uint64_t bytes_of(const EntryTable::Item& item) {
  return item.packed ? item.packed->size() : item.blob ? item.blob->size() + item.key.size() : 0;
}

}  // namespace

std::uint64_t now_seconds() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return static_cast<std::uint64_t>(
      std::max<std::int64_t>(0, std::chrono::duration_cast<std::chrono::seconds>(now).count()));
}

SharedBlob EntryTable::find(const std::string& key) {
  Packed packed;
  {
    std::lock_guard lock(mutex_);
    const auto found = items_.find(key);
    if (found == items_.end()) return nullptr;
    Item& item = found->second;
    const std::uint64_t now = now_seconds();
    // A time in the future is a clock that jumped.
    if (item.used > now || now - item.used > kUseGrain) {
      item.used = now;
      ++changes_;
    }
    if (item.blob) return item.blob;
    packed = item.packed;
  }
  const auto entry = verify_entry(*packed);
  auto blob = entry ? unpack_entry(*entry) : tl::unexpected(entry.error());
  std::lock_guard lock(mutex_);
  const auto found = items_.find(key);
  if (found != items_.end() && found->second.blob) return found->second.blob;  // another thread was faster
  if (!blob) {
    if (found != items_.end() && found->second.packed == packed) items_.erase(found);
    return nullptr;
  }
  auto shared = std::make_shared<const Blob>(std::move(*blob));
  if (found != items_.end()) found->second.blob = shared;
  return shared;
}

void EntryTable::insert(const std::string& key, SharedBlob blob) {
  std::lock_guard lock(mutex_);
  const bool is_new = items_.insert_or_assign(key, Item{key, std::move(blob), nullptr, now_seconds()}).second;
  if (is_new) note_subject(key);
  ++changes_;
}

SharedBlob EntryTable::insert_if_absent(const std::string& key, SharedBlob blob) {
  std::lock_guard lock(mutex_);
  const auto [found, is_new] = items_.try_emplace(key, Item{key, blob, nullptr, now_seconds()});
  if (is_new) {
    note_subject(key);
    ++changes_;
  }
  if (!found->second.blob) found->second.blob = std::move(blob);
  return found->second.blob;
}

bool EntryTable::insert_packed(std::string_view key, std::span<const std::byte> entry, std::uint64_t used) {
  auto copy = std::make_shared<const std::vector<std::byte>>(entry.begin(), entry.end());
  std::lock_guard lock(mutex_);
  const auto found = items_.find(key);
  if (found != items_.end()) return false;
  std::string text(key);
  items_.try_emplace(text, Item{text, nullptr, std::move(copy), used});
  note_subject(text);
  ++changes_;
  return true;
}

bool EntryTable::contains(const std::string& key) const {
  std::lock_guard lock(mutex_);
  return items_.contains(key);
}

void EntryTable::note_subject(const std::string& key) const {
  if (!subjects_) return;
  if (const auto parsed = Key::parse(key)) subjects_->emplace(parsed->subject(), key);
}

Miss EntryTable::explain_absence(const Key& key) const {
  std::lock_guard lock(mutex_);
  if (!subjects_) {
    subjects_.emplace();
    for (const auto& [text, item] : items_) note_subject(text);
  }
  const auto [begin, end] = subjects_->equal_range(key.subject());
  for (auto at = begin; at != end; ++at) {
    const auto other = Key::parse(at->second);
    const Miss reason = other && items_.contains(at->second) ? key.difference(*other) : Miss::absent;
    if (reason != Miss::absent && reason != Miss::other_key) return reason;
  }
  return Miss::absent;
}

bool EntryTable::empty() const {
  std::lock_guard lock(mutex_);
  return items_.empty();
}

std::vector<EntryTable::Item> EntryTable::items() const {
  std::lock_guard lock(mutex_);
  std::vector<Item> all;
  all.reserve(items_.size());
  for (const auto& [key, item] : items_) all.push_back(item);
  return all;
}

Expected<EntryTable::Packed> EntryTable::packed(const Item& item, const Hmac* signer) {
  // What came unsigned is signed when it is first saved by somebody with the secret: it was compiled or accepted here.
  if (item.packed) {
    const auto view = verify_entry(*item.packed);
    if (view && view->is_signed == (signer != nullptr)) return item.packed;
  }
  SharedBlob blob = item.blob ? item.blob : find(item.key);
  const auto key = Key::parse(item.key);
  if (!blob || !key) return internal_error("an entry in memory cannot be packed");
  JITNEY_TRY(auto bytes, encode_entry(*key, *blob, signer));
  auto made = std::make_shared<const std::vector<std::byte>>(std::move(bytes));
  std::lock_guard lock(mutex_);
  const auto found = items_.find(item.key);
  if (found != items_.end() && found->second.blob == blob) found->second.packed = made;
  return made;
}

std::uint64_t EntryTable::prune(std::uint64_t max_bytes) {
  std::lock_guard lock(mutex_);
  std::vector<std::pair<std::uint64_t, const std::string*>> oldest;
  std::uint64_t total = 0, removed = 0;
  const std::uint64_t now = now_seconds();
  for (const auto& [key, item] : items_) {
    total += bytes_of(item);
    oldest.emplace_back(std::min(item.used, now), &key);
  }
  std::ranges::sort(oldest);
  for (const auto& [used, key] : oldest) {
    if (total - removed <= max_bytes) break;
    const auto found = items_.find(*key);
    removed += bytes_of(found->second);
    items_.erase(found);
  }
  if (removed != 0) ++changes_;
  return removed;
}

std::uint64_t EntryTable::changes() const {
  std::lock_guard lock(mutex_);
  return changes_;
}

}  // namespace jitney::cache
