// Copyright 2026 the Jitney authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "cache/blob.h"
#include "cache/entry.h"
#include "cache/flights.h"

namespace jitney::cache {

/// The part of a cache that is in memory: what was compiled, hit or loaded, by the full text of its key. Entries that
/// came packed are unpacked when somebody wants them, and packed ones are packed once. Handles on one path share one.
/// Thread-safe.
class EntryTable {
 public:
  using Packed = std::shared_ptr<const std::vector<std::byte>>;
  struct Item {
    std::string key;
    SharedBlob blob;  ///< null until it is wanted
    Packed packed;    ///< null until it is saved
    std::uint64_t used = 0;
  };

  /// The blob; null when there is none, or when what was loaded cannot be unpacked (it is then forgotten).
  SharedBlob find(const std::string& key);
  /// A new blob takes the place of an old one.
  void insert(const std::string& key, SharedBlob blob);
  /// What another place held: when the key is there already, the blob in memory wins, so that all callers share one.
  SharedBlob insert_if_absent(const std::string& key, SharedBlob blob);
  /// A verified entry; false when its key is there already.
  bool insert_packed(std::string_view key, std::span<const std::byte> entry, std::uint64_t used);
  bool contains(const std::string& key) const;
  /// Why a key that is not here misses: other_device and the like when there is an entry about its subject, else
  /// absent.
  Miss explain_absence(const Key& key) const;
  bool empty() const;

  /// Everything, in the order of the keys.
  std::vector<Item> items() const;
  /// The item's entry, made now if need be and kept.
  Expected<Packed> packed(const Item& item, const Hmac* signer);
  /// Forgets the entries used least recently until no more than this much is left (packed, or else blob bytes). Gives
  /// how many bytes went. Who holds a blob keeps it.
  std::uint64_t prune(std::uint64_t max_bytes);
  /// Whether nobody holds its lock, not even a thread that a fork left behind.
  bool is_free() const {
    const std::unique_lock lock(mutex_, std::try_to_lock);
    return lock.owns_lock();
  }
  /// Grows with every change that a file would show.
  std::uint64_t changes() const;

  Flights& flights() { return flights_; }

 private:
  void note_subject(const std::string& key) const;

  mutable std::mutex mutex_;
  std::map<std::string, Item, std::less<>> items_;  // guarded by mutex_
  std::uint64_t changes_ = 0;                       // guarded by mutex_
  /// Keys by Key::subject(), from the first question about it on.
  mutable std::optional<std::unordered_multimap<std::string, std::string>> subjects_;  // guarded by mutex_
  Flights flights_;
};

/// Seconds since 1970. Only for the order of eviction and for expiry, since clocks jump.
std::uint64_t now_seconds();

}  // namespace jitney::cache
